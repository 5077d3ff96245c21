"""Retrying dead letters and giving them up: by appending to the topic, so that every read model, also one that is made
anew, finds in the log what was decided.

Whoever is killed runs it again. What was appended already is known by the place that it stands for, and is passed
over; what was not is still open.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from photolog.log.growth import EPOCHS_MAX
from photolog.log.letters import Letter, retried
from photolog.log.settlements import Settlements
from photolog.positions import Position
from projections.catalogue import PROJECTIONS
from projections.fold import Projection
from projections.stores.port import PositionStore, RowStore, Source
from schemas.topics import topic_named
from streams.decoding import Decoder
from streams.folding import rehearse
from streams.letters import Chain, OpenLetters
from streams.step import Batch, Log

ROUNDS_MAX = 20
_LOOK_SECONDS = 0.1


class Rehearsal:
    """Tries, without writing anything, whether records can be processed now.

    Args:
        decoder: makes events of records.
        rows: what they would be folded into.
        projections: those that fold into rows.
    """

    def __init__(self, decoder: Decoder, rows: RowStore, projections: Sequence[Projection] = PROJECTIONS) -> None:
        self._decoder = decoder
        self._rows = rows
        self._projections = projections

    async def problems(self, chain: Chain) -> dict[str, str]:
        """Why letters of a chain cannot be processed, by their names; of those behind such a one nothing is known.

        A projection without rows of its own only has its records decoded.
        """
        kept = chain.kept
        events, dead = await self._decoder.decode([letter.record for letter in kept])
        problems = {_name(one.record.topic, one.record.partition, one.record.offset): one.reason for one in dead}
        projection = next((one for one in self._projections if one.name == chain.projection), None)
        if projection is None:
            return problems
        # Behind everything that the rows hold, in the order of the chain.
        placed = [replace(event, epoch=EPOCHS_MAX - 1, offset=place) for place, event in enumerate(events)]
        records = {letter.name: letter.record for letter in kept}
        names = [_name(event.topic, event.partition, event.offset) for event in events]
        source = Source(chain.projection, chain.topic, 0)
        batch = Batch(source, placed, {place: records[name] for place, name in enumerate(names)})
        for one in await rehearse(projection, self._rows, batch):
            problems[_name(one.record.topic, one.record.partition, one.record.offset)] = one.reason
        return problems


def _name(topic: str, partition: int, offset: int) -> str:
    return f"{topic}/{partition}/{offset}"


@dataclass(slots=True)
class Retried:
    """What came of a chain.

    Args:
        appended: how many records were appended, in all rounds.
        stopped_at: the letter that could not be processed, or failed again; None where there was none.
        reason: why it could not.
        settled: whether nothing of the chain is left. Where nothing stopped it, the job has not come there yet.
    """

    appended: int = 0
    stopped_at: Letter | None = None
    reason: str = ""
    settled: bool = False


class Retrying:
    """Retries chains and drops letters.

    Args:
        letters: finds what is open.
        log: takes the records.
        positions: tell when a read model has come to them.
        settlements: take what no position tells.
        rehearsal: what is tried first.
        clock_ms: Unix milliseconds.
        wait_seconds: how long to wait for a read model.
        sleep: waits so many seconds.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        letters: OpenLetters,
        log: Log,
        positions: PositionStore,
        settlements: Settlements,
        rehearsal: Rehearsal,
        clock_ms: Callable[[], int],
        wait_seconds: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._letters = letters
        self._log = log
        self._positions = positions
        self._settlements = settlements
        self._rehearsal = rehearsal
        self._clock_ms = clock_ms
        self._wait_seconds = wait_seconds
        self._sleep = sleep
        self._clock = clock

    async def retry(self, chain: Chain, *, force: bool = False) -> Retried:
        """Append a chain's records again, then whatever of its key was parked meanwhile, until nothing is left.

        Args:
            chain: its letters are open.
            force: append also what cannot be processed now, as far as that can be known.

        Raises:
            LogUnavailable, StoreUnavailable: run it again.
        """
        done = Retried()
        for _ in range(ROUNDS_MAX):
            problems = {} if force else await self._rehearsal.problems(chain)
            ready = list(_until_problem(chain, problems))
            if len(ready) < len(chain.letters):
                done.stopped_at = chain.letters[len(ready)]
                done.reason = problems[done.stopped_at.name]
            landed = await self._append(chain, ready)
            done.appended += len(landed)
            if chain.key is None:
                done.settled = done.stopped_at is None
                return done
            if not landed or not await self._applied(chain.projection, landed):
                return done
            left = await self._left_of(chain)
            if left is None:
                return Retried(done.appended, settled=True)
            if left.letters[0].origin in {letter.origin for letter in ready}:
                done.stopped_at, done.reason = left.letters[0], left.letters[0].reason
            if done.stopped_at is not None:
                return done
            chain = left
        return done

    async def drop(self, chain: Chain, letters: Sequence[Letter]) -> None:
        """Give letters of a chain up; what is parked behind them stays parked until it is retried or dropped.

        Raises:
            LogUnavailable, StoreUnavailable: run it again.
        """
        for letter in letters:
            await self._settlements.settle(letter, "dropped", self._clock_ms())
        if chain.key is None:
            return
        chain.dropped |= {letter.origin for letter in letters}
        first_kept = next((at for at, one in enumerate(chain.letters) if one.origin not in chain.dropped), None)
        landed = await self._append(chain, chain.letters[:first_kept])
        if landed:
            await self._applied(chain.projection, landed)

    async def _append(self, chain: Chain, letters: Sequence[Letter]) -> list[Position]:
        """One after the other: none may be in the log without those in front of it."""
        landed = []
        behind = chain.behind
        for letter in letters:
            landed += await self._log.append_all([retried(letter, behind, dropped=letter.origin in chain.dropped)])
            if chain.key is None:
                await self._settlements.settle(letter, "retried", self._clock_ms())
            behind = letter.origin
        return landed

    async def _applied(self, projection: str, landed: Sequence[Position]) -> bool:
        """Whether the read model came past these positions in time."""
        deadline = self._clock() + self._wait_seconds
        while True:
            stored = await self._positions.positions(projection)
            reached = {(source.topic, source.partition): at.next_offset for source, at in stored.items()}
            if all(reached.get((at.topic, at.partition), 0) > at.offset for at in landed):
                return True
            if self._clock() > deadline:
                return False
            await self._sleep(_LOOK_SECONDS)

    async def _left_of(self, chain: Chain) -> Chain | None:
        """What is open of a chain's key now."""
        chains = await self._letters.chains([topic_named(chain.topic)], chain.projection)
        return next((one for one in chains if one.key == chain.key), None)


def _until_problem(chain: Chain, problems: dict[str, str]) -> Sequence[Letter]:
    for at, letter in enumerate(chain.letters):
        if letter.name in problems:
            return chain.letters[:at]
    return chain.letters
