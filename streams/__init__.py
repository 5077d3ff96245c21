"""Engine adapters: what stands between the log and the pure projections, whichever engine reads the log."""
