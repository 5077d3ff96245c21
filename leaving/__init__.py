"""How an account leaves: everything that it did is taken back, its key is destroyed, and it gets its data to keep."""
