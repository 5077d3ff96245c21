"""What Faust workers count, beside `photolog.worker_metrics`. Names are stable: dashboards and the demo read them."""

from typing import get_args

from prometheus_client import Counter, Histogram

from projections.stores.counts import Counts, Fate

APPLIED = Counter("photolog_applied_total", "Events folded into rows, or delivered", ["projection"])
REPEATS = Counter("photolog_repeats_total", "Events that had been applied before", ["projection"])
RECORDS = Counter("photolog_records_total", "Records that a position went past", ["projection", "fate"])
BELOW_POSITION = Counter("photolog_redelivered_total", "Records below the stored position", ["projection"])
STEP_SECONDS = Histogram(
    "photolog_step_seconds",
    "Time from a batch's start to its stored position",
    ["projection"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
BATCH_RECORDS = Histogram(
    "photolog_batch_records", "Records in a batch", ["projection"], buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500)
)
EMITTED = Counter("photolog_emitted_total", "Events that a job appended", ["event"])
DELIVERIES = Counter("photolog_deliveries_total", "Entries that timelines took", ["lane"])
FANOUT_SECONDS = Histogram(
    "photolog_fanout_seconds",
    "Time from a post's publication until the followers of one request have it",
    ["lane"],
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60),
)
FANOUT_FOLLOWERS = Histogram(
    "photolog_fanout_chunk_followers",
    "Followers that one request of a fan-out stood for",
    ["lane"],
    buckets=(0, 1, 10, 50, 100, 250, 500, 1_000, 2_500, 10_000, 100_000),
)


def show_fates(projection: str, before: Counts, after: Counts) -> None:
    """Count what became of the records of a batch."""
    for fate in get_args(Fate):
        RECORDS.labels(projection, fate).inc(getattr(after, fate) - getattr(before, fate))
