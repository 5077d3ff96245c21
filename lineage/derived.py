"""What was appended because of an event: looked for forward from it, for a while.

A derived event carries the correlation id of what led to it and names its direct cause; its id is a UUIDv5 of what was
concluded, so it is the same however often it was appended.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from lineage.decoding import event_id_of
from lineage.reading import Log, Placed, Span
from photolog.errors import UndecodableRecord
from photolog.log.growth import epoch_of
from photolog.log.record import StoredRecord
from photolog.log.slices import Slice
from schemas.topics import TOPICS, Topic

CANDIDATES_MAX = 20_000
SKEW_MS = 60_000  # by how much the clock of who concluded may have been behind


@dataclass(frozen=True, slots=True)
class Derived:
    """A derived event.

    Args:
        placed: its first record.
        cause_id: the event because of which it was appended; None where its record, of an earlier version, does not
            name it and only the correlation tells.
        depth: 1 for what follows from the event directly.
    """

    placed: Placed
    cause_id: UUID | None
    depth: int


@dataclass(frozen=True, slots=True)
class Search:
    """What was found, and as far as was looked.

    Args:
        derived: in the order of the conclusions: what follows from something stands behind it.
        until_ms: records of up to this time were looked at.
        cut: whether there were more candidates than may be held.
    """

    derived: Sequence[Derived]
    until_ms: int
    cut: bool


@dataclass(slots=True)
class _Candidates:
    """Derived records of one correlation, the first of each id."""

    correlation: bytes
    by_id: dict[UUID, StoredRecord] = field(default_factory=dict)
    cut: bool = False

    def take(self, record: StoredRecord) -> None:
        if record.header("correlation_id") != self.correlation:
            return
        try:
            event_id = event_id_of(Placed(record, 0))
        except UndecodableRecord:
            return
        if event_id.version != 5 or event_id in self.by_id:
            return
        if len(self.by_id) < CANDIDATES_MAX:
            self.by_id[event_id] = record
        else:
            self.cut = True


async def find_derived(log: Log, cause: Placed, within_ms: int, topics: Sequence[Topic] = TOPICS) -> Search:
    """What followed from an event, directly and further on.

    Args:
        log: the log.
        cause: the event's record.
        within_ms: how long after the event to look.
        topics: where to look; telemetry is never derived and left out.

    Raises:
        LogUnavailable: the broker did not answer.
    """
    record = cause.record
    span = Span(max(0, record.timestamp_ms - SKEW_MS), record.timestamp_ms + within_ms)
    candidates = _Candidates(record.header("correlation_id") or b"")
    if not candidates.correlation:
        return Search((), span.last_ms, cut=False)
    slices: list[Slice] = []
    for topic in topics:
        if topic.kind != "telemetry":
            slices += await log.between(topic.name, span)
    async for records in log.window(slices, "what was appended since"):
        for one in records:
            candidates.take(one)
    derived = await _placed(log, _tree(event_id_of(cause), candidates.by_id))
    return Search(derived, span.last_ms, candidates.cut)


def cause_of(record: StoredRecord) -> UUID | None:
    """The event that a derived record names as its cause; None where it names none."""
    try:
        return UUID((record.header("causation_id") or b"").decode("ascii"))
    except ValueError:
        return None


def _tree(root: UUID, by_id: Mapping[UUID, StoredRecord]) -> list[tuple[StoredRecord, UUID | None, int]]:
    """Those that follow from the root, level by level. One that names no cause is taken to follow from it directly."""
    left = {event_id: (record, cause_of(record)) for event_id, record in by_id.items() if event_id != root}
    found: list[tuple[StoredRecord, UUID | None, int]] = []
    level: Collection[UUID | None] = {root, None}
    depth = 1
    while here := {event_id: told for event_id, told in left.items() if told[1] in level}:
        found += [(record, cause, depth) for record, cause in sorted(here.values(), key=_order)]
        left = {event_id: told for event_id, told in left.items() if event_id not in here}
        level, depth = here.keys(), depth + 1
    return found


def _order(told: tuple[StoredRecord, UUID | None]) -> tuple[int, int, int, int]:
    """By time, and within a moment as the river flows."""
    record, _ = told
    topics = [topic.name for topic in TOPICS]
    return record.timestamp_ms, topics.index(record.topic), record.partition, record.offset


async def _placed(log: Log, found: Sequence[tuple[StoredRecord, UUID | None, int]]) -> list[Derived]:
    derived = []
    for record, cause_id, depth in found:
        epoch = epoch_of(await log.growths.of(record.topic), record.partition, record.offset)
        derived.append(Derived(Placed(record, epoch), cause_id, depth))
    return derived
