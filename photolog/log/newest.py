"""The newest records of a topic that are meant, found from its end backward."""

from collections import deque
from collections.abc import Callable, Sequence

from photolog.log.merge import in_time_order
from photolog.log.record import StoredRecord
from photolog.log.slices import Place, Slice, SliceReader

_WINDOW_RECORDS = 1_000
_GROWTH = 8


async def newest(
    reader: SliceReader, slices: Sequence[Slice], limit: int, holds: Callable[[StoredRecord], bool]
) -> list[StoredRecord]:
    """The newest records, in the order of `in_time_order`.

    It reads the last stretch of each partition, and a longer one until there are enough, or nothing is left to read.

    Args:
        reader: reads the log.
        slices: where to look, each with an end.
        limit: how many; so many are held in memory.
        holds: whether a record is meant.

    Raises:
        LogUnavailable: the broker did not answer.
    """
    window = max(limit, _WINDOW_RECORDS)
    while limit:
        near = [one.begun_at(max(one.begin, (one.end or 0) - window)) for one in slices]
        found: deque[StoredRecord] = deque(maxlen=limit)
        firsts: dict[Place, int] = {}
        async for records in in_time_order(reader, near):
            for record in records:
                firsts.setdefault((record.topic, record.partition), record.timestamp_ms)
            found.extend(record for record in records if holds(record))
        # What was not read may be newer than what a quiet partition gave, but not than where reading began.
        unread = [firsts.get(last.place, 0) for last, one in zip(near, slices, strict=True) if last.begin > one.begin]
        if not unread or (len(found) == limit and found[0].timestamp_ms >= max(unread)):
            return list(found)
        window *= _GROWTH
    return []
