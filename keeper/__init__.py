"""What becomes of media objects: refused files go, what nothing holds is collected, and stories are archived."""
