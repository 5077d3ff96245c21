"""Streams for analysts: grants, cursors, the hub that all live subscribers share, and history that joins it."""
