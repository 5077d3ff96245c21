"""The client of the log: append and consume bytes. It knows nothing of what the bytes mean."""
