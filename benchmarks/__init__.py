"""Benchmarks: each a ratio to a named opponent, measured in the same run (`bin/photolog bench`)."""
