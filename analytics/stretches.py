"""Which stretches of a topic are to be exported next. Pure: how far each type is, what the log holds, how it has grown.

A stretch is decided and written down before any of its files is, and is gone through again, the very same, until it is
finished. So what a file holds depends on the log alone, whoever writes it and however often.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from photolog.log.growth import History, epoch_of, is_passed


class Progress(msgspec.Struct, frozen=True):
    """How far a type is exported from a partition.

    Args:
        next_offset: everything before is in files.
        planned_end: the end of the stretch that is being exported, not included; None where none is.
    """

    next_offset: int
    planned_end: int | None = None


class Noted(msgspec.Struct, frozen=True):
    """What is written down of a partition.

    Args:
        version: rises with each change; 0 where nothing is written down.
        types: the progress of each event type.
    """

    version: int = 0
    types: Mapping[str, Progress] = {}


NOTHING = Noted()


@dataclass(frozen=True, slots=True)
class Holding:
    """What the log holds of a partition.

    Args:
        partition: the partition.
        first: the first offset that is there.
        end: the one that its next record will have.
        goal: where this export is to end.
    """

    partition: int
    first: int
    end: int
    goal: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a partition, for some types.

    Args:
        topic: the topic's name, with `partition`.
        types: the types that are exported from it.
        begin: its first offset.
        end: the offset behind its last one; until it is planned, how far it may go at most.
        epoch: of the topic, the same from begin to end.
        planned: whether it is written down.
    """

    topic: str
    partition: int
    types: tuple[str, ...]
    begin: int
    end: int
    epoch: int
    planned: bool


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as an export finds it.

    Args:
        name: its name.
        types: the types that are wanted of it.
        holdings: what it holds.
        noted: what is written down of each partition.
        history: how it has grown.
    """

    name: str
    types: Sequence[str]
    holdings: Sequence[Holding]
    noted: Mapping[int, Noted]
    history: History

    def noted_of(self, partition: int) -> Noted:
        """What is written down of a partition."""
        return self.noted.get(partition, NOTHING)

    def progress(self, held: Holding, event_type: str) -> Progress:
        """How far a type is, where nothing that the log has lost is waited for any more."""
        found = self.noted_of(held.partition).types.get(event_type)
        return Progress(held.first) if found is None or found.next_offset < held.first else found

    def lost(self, held: Holding, types: Iterable[str]) -> int:
        """How many offsets of a partition the log lost before one of some types was exported."""
        return max([0, *(held.first - one for one in self._noted(held, types))])

    def furthest(self, held: Holding) -> int:
        """Up to which offset of a partition any type is exported."""
        return max(self._noted(held, self.types), default=0)

    def _noted(self, held: Holding, types: Iterable[str]) -> list[int]:
        noted = self.noted_of(held.partition).types
        return [noted[one].next_offset for one in types if one in noted]

    def left(self) -> int:
        """How many offsets there are to go through."""
        return sum(
            max(0, held.goal - min(self.progress(held, one).next_offset for one in self.types))
            for held in self.holdings
        )


def next_stretches(topic: Topic) -> list[Stretch]:
    """What to do next: one stretch that was planned before, or a new one of each partition that has any.

    A new one begins where the types that are least far are, and ends where another type is, or where the topic grew.
    What comes behind a growth waits until everything that came before it is exported, so that an event which stands on
    both sides is found in the files of before.
    """
    found = [one for held in topic.holdings for one in _stretches(topic, held)]
    return [one for one in found if one.planned][:1] or found


def _stretches(topic: Topic, held: Holding) -> Iterable[Stretch]:
    at = {one: topic.progress(held, one) for one in topic.types}
    planned = min(
        ((one.next_offset, one.planned_end) for one in at.values() if one.planned_end is not None), default=None
    )
    if planned is not None:
        types = tuple(name for name, one in at.items() if (one.next_offset, one.planned_end) == planned)
        yield Stretch(topic.name, held.partition, types, *planned, _epoch(topic, held, planned[0]), planned=True)
        return
    left = {
        name: one.next_offset for name, one in at.items() if one.next_offset < held.goal and _ready(topic, held, name)
    }
    if left:
        begin = min(left.values())
        epoch = _epoch(topic, held, begin)
        ends = [held.goal, *(one for one in left.values() if one > begin)]
        if epoch < len(topic.history):
            ends.append(topic.history[epoch].cuts[held.partition])
        types = tuple(name for name, one in left.items() if one == begin)
        yield Stretch(topic.name, held.partition, types, begin, min(ends), epoch, planned=False)


def _epoch(topic: Topic, held: Holding, offset: int) -> int:
    return epoch_of(topic.history, held.partition, offset)


def _ready(topic: Topic, held: Holding, event_type: str) -> bool:
    """Whether everything of a type that came before the epoch of what is next is exported."""
    epoch = _epoch(topic, held, topic.progress(held, event_type).next_offset)
    nexts = {one.partition: topic.progress(one, event_type).next_offset for one in topic.holdings}
    return epoch == 0 or is_passed(topic.history[epoch - 1], nexts)


def planned(noted: Noted, stretch: Stretch) -> dict[str, Progress]:
    """What to write down before a stretch is exported."""
    return {**noted.types, **dict.fromkeys(stretch.types, Progress(stretch.begin, stretch.end))}


def finished(noted: Noted, stretch: Stretch) -> dict[str, Progress] | None:
    """What to write down once all its files are there; None where somebody has done so."""
    if any(noted.types.get(one) != Progress(stretch.begin, stretch.end) for one in stretch.types):
        return None
    return {**noted.types, **dict.fromkeys(stretch.types, Progress(stretch.end))}
