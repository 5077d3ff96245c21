"""Which records are in time, and what becomes of those that are not.

A record is late once the first window that it belongs to is closed: so it counts in all of its windows or in none. What
is closed is told by the latest event that came before it in its own partition and by `CURRENT_WATERMARK`, and both are
remembered in the job's state. A watermark is not: behind a restore it begins anew, and what was late before the crash
would be in time behind it, and count in those of its windows that were still open.

The watermark is the least of what the partitions have come to, so it is never ahead of the record's own one, and the
window operators drop nothing in silence. Where a partition that is idle is not waited for (`PHOTOLOG_FLINK__IDLE_MS`),
this does not hold for one that wakes up at the moment of a crash; ticks need no such setting.
"""

from collections.abc import Sequence

from schemas.events import Event, EventCameLate
from schemas.serde import SCHEMAS
from streams.flink_jobs.tables import insertion, table_name


def in_time(event: type[Event]) -> str:
    """The view of an event's records that are in time."""
    return f"{table_name(event)}_in_time"


def lateness_views(job: str, event: type[Event], *, slide_ms: int, lateness_ms: int) -> Sequence[str]:
    """The statements that tell records that are in time from those that are late.

    Args:
        job: the job's name.
        event: what is read; its table has the column `at_ms`.
        slide_ms: how far the shortest windows are apart; every window begins at a multiple of it.
        lateness_ms: how far behind the latest event a record may be.
    """
    name, topic = table_name(event), SCHEMAS[event].topic.name
    newest = f"TO_TIMESTAMP_LTZ(`at_ms` - {lateness_ms}, 3)"
    # The last moment of the first window that the record belongs to. Flink closes it when the watermark is there.
    ends = f"TO_TIMESTAMP_LTZ((`at_ms` / {slide_ms} + 1) * {slide_ms} - 1, 3)"
    epoch = "TO_TIMESTAMP_LTZ(0, 3)"
    return (
        f"""CREATE TEMPORARY VIEW `{name}_judged` AS
SELECT *, MAX(`mark`) OVER (
  PARTITION BY `record_partition` ORDER BY `now` ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS `closed`
FROM (
  SELECT *, {ends} AS `ends`, GREATEST({newest}, COALESCE(CURRENT_WATERMARK(`at`), {newest})) AS `mark`
  FROM `{name}`
)""",
        f"CREATE TEMPORARY VIEW `{in_time(event)}` AS SELECT * FROM `{name}_judged` WHERE `ends` > `closed`",
        f"""CREATE TEMPORARY VIEW `{_late(event)}` AS
SELECT '{job}' AS `job`, '{topic}' AS `source_topic`, CAST(`record_partition` AS BIGINT) AS `source_partition`,
  `record_offset` AS `source_offset`, `at_ms`,
  1000 * CAST(TIMESTAMPDIFF(SECOND, {epoch}, `closed`) AS BIGINT) AS `closed_ms`
FROM `{name}_judged` WHERE `ends` <= `closed`""",
    )


def late_insertion(event: type[Event]) -> str:
    """The statement that keeps the places of late records."""
    return insertion(
        EventCameLate,
        _late(event),
        key="CAST(`source_partition` AS STRING)",
        identity=("job", "source_topic", "source_partition", "source_offset"),
        at_ms="`at_ms`",
    )


def _late(event: type[Event]) -> str:
    return f"{table_name(event)}_late"
