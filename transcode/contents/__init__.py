"""Contents: what several media records may share, who holds each, and when its files go."""
