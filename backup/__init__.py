"""Copies of the log and of what lives outside it, kept elsewhere, and a system made from such a copy."""
