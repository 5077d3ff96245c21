"""Addresses of media at the edge: written by the gateway and by clients, read by the edge."""
