"""What the edge counts, for Prometheus."""

from prometheus_client import Counter, Histogram

ANSWERS = Counter("photolog_edge_answers", "Pictures and files that were answered", ["kind", "access"])
RESIZE_SECONDS = Histogram(
    "photolog_edge_resize_seconds",
    "Time to make a picture, with its wait for a thread",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
REFUSED = Counter("photolog_edge_refused", "Pictures that were not made because too many waited")
