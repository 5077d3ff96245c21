"""Faust as the live engine: it brings records in order and in batches; the stores keep the positions."""
