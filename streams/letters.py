"""The dead letters that are open, read from their topics, in the order in which their records are to be applied."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from photolog.errors import Limited
from photolog.log.growth import Growths, History, last_owner, place_in
from photolog.log.letters import Letter, letter_of
from photolog.log.record import StoredRecord
from photolog.log.retries import Place
from photolog.log.settlements import Settlement, Settlements
from projections.stores.port import PositionStore, StoredPosition
from schemas.topics import Topic

LETTERS_MAX = 100_000
"""How many open letters are looked at together; they are held in memory."""


class LogReader(Protocol):
    """Reads topics from their beginning: leaving/log_reader.py, or lists in tests."""

    def read(self, topic: str) -> AsyncIterator[Sequence[StoredRecord]]:
        """Every record of a topic up to where it ends now, in each partition's order. Raises LogUnavailable."""


@dataclass(slots=True)
class Chain:
    """Open letters that go together: all of a parked key, or a single one where order does not matter.

    Args:
        projection: whose letters they are.
        topic: where their records lie.
        key: the parked key; None where nothing is parked.
        letters: in the order of the key.
        behind: the place of the last record in front of them that was put aside and is settled.
        dropped: the places of those that were given up.
    """

    projection: str
    topic: str
    key: bytes | None
    letters: list[Letter] = field(default_factory=list)
    behind: Place | None = None
    dropped: frozenset[Place] = frozenset()

    @property
    def kept(self) -> list[Letter]:
        """Those that nobody gave up."""
        return [letter for letter in self.letters if letter.origin not in self.dropped]


@dataclass(frozen=True, slots=True)
class _Known:
    """What stores know of one projection's letters of one topic."""

    positions: Mapping[int, StoredPosition]
    history: History
    settlements: Mapping[Place, Settlement]

    def place(self, letter: Letter) -> int:
        """The letter's place in its key's order."""
        return place_in(self.history, letter.origin)

    def is_open(self, letter: Letter) -> bool:
        """Whether the letter waits for somebody. One that the position has not come past yet may come again."""
        if not letter.ordered:
            return letter.origin not in self.settlements
        at, offset = letter.failed_at
        if at not in self.positions or self.positions[at].next_offset <= offset:
            return True
        key = letter.record.key or b""
        stored = self.positions.get(self._owner(letter, key))
        parked = stored.parked.get(key) if stored else None
        return parked is not None and self.place(letter) > parked.settled

    def _owner(self, letter: Letter, key: bytes) -> int:
        if not self.history:
            return letter.origin[0]
        read = {partition: stored.counts.below for partition, stored in self.positions.items()}
        return last_owner(self.history, len(self.history) + 1, key, read)


class OpenLetters:
    """Looks for open letters.

    Args:
        reader: the log.
        positions: what read models have applied, and which of their keys are parked.
        settlements: what was decided about letters.
        growths: how topics have grown.
    """

    def __init__(self, reader: LogReader, positions: PositionStore, settlements: Settlements, growths: Growths) -> None:
        self._reader = reader
        self._positions = positions
        self._settlements = settlements
        self._growths = growths

    async def chains(self, topics: Sequence[Topic], projection: str | None = None) -> list[Chain]:
        """The open letters of some topics.

        Args:
            topics: their own names, not those of the dead-letter topics.
            projection: whose letters alone; None for everybody's.

        Raises:
            Limited: there are more than can be looked at together.
            LogUnavailable, StoreUnavailable: something did not answer.
        """
        found: list[Chain] = []
        for topic in topics:
            gathering = _Gathering(LETTERS_MAX - sum(len(chain.letters) for chain in found))
            async for records in self._reader.read(topic.dead_letters):
                for letter in filter(None, map(letter_of, records)):
                    if letter.record.topic == topic.name and projection in (None, letter.projection):
                        if letter.projection not in gathering.known:
                            gathering.known[letter.projection] = await self._known(letter.projection, topic.name)
                        gathering.take(letter)
            found += gathering.chains()
        return found

    async def _known(self, projection: str, topic: str) -> _Known:
        stored = await self._positions.positions(projection)
        return _Known(
            {source.partition: at for source, at in stored.items() if source.topic == topic},
            await self._growths.of(topic),
            await self._settlements.of(projection, topic),
        )


class _Gathering:
    """Brings the letters of one topic together: the newest of each record, and of settled ones only where they lay."""

    def __init__(self, letters_max: int) -> None:
        self.known: dict[str, _Known] = {}
        self._letters_max = letters_max
        self._open: dict[tuple[str, Place], Letter] = {}
        self._settled: dict[tuple[str, bytes], set[Place]] = {}

    def take(self, letter: Letter) -> None:
        """Take the next letter."""
        if self.known[letter.projection].is_open(letter):
            self._open[letter.projection, letter.origin] = letter
            if len(self._open) > self._letters_max:
                raise Limited("too-many-letters", f"more than {LETTERS_MAX} letters are open: name a topic")
        elif letter.ordered:
            # Only the last one in front of the open ones is needed, and letters of a key come nearly in order.
            last = self._settled.setdefault((letter.projection, letter.record.key or b""), set())
            last.add(letter.origin)
            if len(last) > 1:
                last.discard(min(last, key=lambda origin: place_in(self.known[letter.projection].history, origin)))

    def chains(self) -> list[Chain]:
        """What was gathered, by the places of the first letters."""
        found: dict[tuple[str, object], Chain] = {}
        for (projection, origin), letter in self._open.items():
            key = letter.record.key if letter.ordered else None
            chain = found.setdefault(
                (projection, key if letter.ordered else origin), Chain(projection, letter.record.topic, key)
            )
            chain.letters.append(letter)
        for chain in found.values():
            self._complete(chain)
        return sorted(found.values(), key=lambda chain: (chain.letters[0].origin, chain.projection))

    def _complete(self, chain: Chain) -> None:
        known = self.known[chain.projection]
        chain.letters.sort(key=known.place)
        chain.behind = next(iter(self._settled.get((chain.projection, chain.key or b""), ())), None)
        chain.dropped = frozenset(
            letter.origin for letter in chain.letters if known.settlements.get(letter.origin) == "dropped"
        )
