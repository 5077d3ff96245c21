"""What the keeper counts, beside `photolog.worker_metrics`."""

from prometheus_client import Counter, Gauge, Histogram

LATE = Gauge("photolog_keeper_late_seconds", "How long a rule's last record had been due when it was begun", ["rule"])
DONE = Histogram(
    "photolog_keeper_seconds",
    "Time that a rule's deed took, waiting included",
    ["rule"],
    buckets=(0.01, 0.1, 1, 10, 30, 60, 300),
)
REMOVED = Counter("photolog_keeper_files_removed_total", "Files removed", ["rule"])
