"""Where a record that was appended again came from: a header tells, and the headers of a topic tell what is there.

So a replay needs no file of its own to know how far it came: whoever crashed, on whatever machine, the log knows.
"""

from collections.abc import Iterable, Sequence

from photolog.log.record import StoredRecord
from photolog.log.slices import Place, Slice
from photolog.positions import Position

ORIGIN_HEADER = "replayed_from"
"""`topic/partition/offset` of the record that this one repeats; the last one, where it was repeated more than once."""
RUN_HEADER = "replayed_run"
"""The name of the replay, where it was given one."""


def origin_headers(record: StoredRecord, run: str) -> tuple[tuple[str, bytes], ...]:
    """What a repeat of a record carries beside the record's own headers."""
    origin = f"{record.topic}/{record.partition}/{record.offset}".encode()
    return ((ORIGIN_HEADER, origin), *(((RUN_HEADER, run.encode()),) if run else ()))


def origin_of(record: StoredRecord) -> tuple[Position, str] | None:
    """What a record repeats, and in which run; None for one that repeats nothing."""
    at = max((at for at, (name, _) in enumerate(record.headers) if name == ORIGIN_HEADER), default=None)
    if at is None:
        return None
    topic, _, place = (record.headers[at][1] or b"").decode(errors="replace").partition("/")
    partition, _, offset = place.partition("/")
    if not (partition.isdecimal() and offset.isdecimal()):
        return None
    # A header of an earlier repeat stands before the origin of this one.
    run = next((value for name, value in record.headers[at:] if name == RUN_HEADER), None)
    return Position(topic, int(partition), int(offset)), (run or b"").decode(errors="replace")


class Origins:
    """Which records of some slices a topic repeats already: a bit for each record of the slices.

    Args:
        slices: each with an end.
        run: the replay's name; what others repeated does not count.
    """

    def __init__(self, slices: Sequence[Slice], run: str) -> None:
        self._run = run
        self._begins: dict[Place, int] = {one.place: one.begin for one in slices}
        self._bits = {one.place: bytearray(((one.end or 0) - one.begin + 7) // 8) for one in slices}

    def add(self, records: Iterable[StoredRecord]) -> None:
        """Take note of what these records repeat."""
        for record in records:
            found = origin_of(record)
            if found is None or found[1] != self._run:
                continue
            position = found[0]
            place = (position.topic, position.partition)
            bit = position.offset - self._begins.get(place, position.offset + 1)
            if 0 <= bit < 8 * len(self._bits.get(place, b"")):
                self._bits[place][bit >> 3] |= 1 << (bit & 7)

    def __contains__(self, record: StoredRecord) -> bool:
        """Whether a record of the slices is repeated."""
        place = (record.topic, record.partition)
        bit = record.offset - self._begins[place]
        return bool(self._bits[place][bit >> 3] >> (bit & 7) & 1)
