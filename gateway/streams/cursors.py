"""Where a subscription goes on: the next offset of every partition that its filter needs, signed for one grant.

A cursor that lacks a partition was made before the topic grew: the new partition is read from its start.
"""

from collections.abc import Mapping

from gateway.cursors import Cursors, Value
from gateway.streams.filters import Filter
from photolog.errors import Conflict, Gone, Invalid
from photolog.log.ends import Ends

CURSOR_CHARACTERS_MAX = 3_500
EARLIEST = "earliest"
Offsets = Mapping[tuple[str, int], int]


class StreamCursors:
    """The cursors of one grant and one choice of types; the share of events may change between two subscriptions.

    Args:
        cursors: signs.
        grant_id: the grant.
        wanted: the filter.
    """

    def __init__(self, cursors: Cursors, grant_id: str, wanted: Filter) -> None:
        self._cursors = cursors
        self._kind = f"stream:{grant_id}:{','.join(wanted.types)}"
        self._topics = wanted.topics

    def encode(self, offsets: Offsets) -> str:
        """A cursor.

        Args:
            offsets: the next offset of each partition; those of other topics do not matter.
        """
        values: list[Value] = []
        for topic in self._topics:
            own = sorted((partition, offset) for (name, partition), offset in offsets.items() if name == topic)
            values += [topic, len(own), *(offset for _, offset in own)]
        return self._cursors.encode(self._kind, tuple(values))

    def decode(self, text: str) -> dict[tuple[str, int], int]:
        """The offsets of a cursor.

        Raises:
            Invalid: it is not one that this grant was given for these types.
        """
        if len(text) > CURSOR_CHARACTERS_MAX:
            raise Invalid("malformed-cursor", "the cursor is not one that this list gave", "cursor")
        left = list(self._cursors.decode(self._kind, text))
        offsets: dict[tuple[str, int], int] = {}
        while left:
            topic, count = str(left.pop(0)), int(left.pop(0))
            offsets |= {(topic, partition): int(left.pop(0)) for partition in range(count)}
        return offsets


def begun(offsets: Offsets, starts: Ends, ends: Ends) -> dict[tuple[str, int], int]:
    """Where to begin in each partition that there is now.

    Args:
        offsets: the cursor's.
        starts: the first offset that each partition still holds.
        ends: the next offset of each.

    Raises:
        Gone: the log does not hold what comes after the cursor.
        Conflict: the cursor is ahead of the log.
    """
    for place, offset in offsets.items():
        if place not in ends or offset > ends[place]:
            raise Conflict("cursor-ahead", "the cursor is ahead of the log: it is another log's", "cursor")
    where = {place: offsets.get(place, 0) for place in ends}
    lost = [place for place, offset in where.items() if offset < starts[place]]
    if lost:
        topic, partition = min(lost)
        raise Gone(
            "cursor-expired", f"the log holds {topic}/{partition} only from later on; begin at {EARLIEST}", "cursor"
        )
    return where
