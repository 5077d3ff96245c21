"""Queries: thin paths from read models to answers."""
