"""The pure core: from events to read models. No I/O, clock, randomness or settings in any `projections/*.py`."""
