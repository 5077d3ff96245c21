"""What the moderation worker counts, beside `photolog.worker_metrics`."""

from prometheus_client import Counter, Gauge, Histogram

JUDGED = Counter("photolog_moderated_total", "Verdicts", ["verdict", "classifier"])
FAILED = Counter(
    "photolog_classifier_failures_total", "Attempts of classifiers that failed or took too long", ["classifier"]
)
BLOCKED = Gauge("photolog_blocked_contents", "Contents on the block-list, as this worker knows it")
SECONDS = Histogram(
    "photolog_classifier_seconds",
    "Time of one attempt of a classifier",
    ["classifier"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
