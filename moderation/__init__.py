"""Judging media before it is published: classifiers in turn, and a worker that asks them."""
