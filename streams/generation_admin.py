"""What an operator does with generations: build one, compare it, show it, take it back, give it up."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from photolog.errors import Conflict, NotFound
from photolog.ids import now_ms
from photolog.log.ends import Ends
from photolog.settings import KafkaSettings
from projections.catalogue import PROJECTIONS, TABLES_OF
from projections.fold import Projection
from projections.generations import Generations, Pointers, Selection, generation_name, generation_table
from projections.stores.generation_pointers import PointerStore, change_pointers
from projections.stores.pinning import FRESH_SECONDS
from projections.stores.port import RowStore, Source, StoredPosition
from projections.stores.remembered_rows import RememberedRows
from projections.tables import Table
from streams.generation_steps import building_step
from streams.jobs import JobResources
from streams.rebuilding import Heard, Rebuild, Share, begin, catch_up, hand_over, is_behind, taken_over
from streams.verifying import Verdict, Verification

SEEN_MS = round(4 * FRESH_SECONDS * 1_000)
"""After so long every process has seen a change of the pointers, or stands still for want of the store."""
_LOOK_SECONDS = 0.2
_CATCH_UP_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminPorts:
    """What the work on generations stands on.

    Args:
        kafka: the log.
        pointers: where the generations are written down.
        at: what jobs of a fixed selection of generations work with.
        ends: where topics end; up to a time, where one is given (Unix ms).
        create: makes a table where it is not there.
        drop: removes a table.
        forget: removes the positions under a name.
        reading_seconds: how long a request may go on that began before a change.
        clock_ms: Unix milliseconds.
    """

    kafka: KafkaSettings
    pointers: PointerStore
    at: Callable[[Selection], JobResources]
    ends: Callable[[Iterable[str], int | None], Awaitable[Ends]]
    create: Callable[[Table[Any]], Awaitable[None]]
    drop: Callable[[Table[Any]], Awaitable[None]]
    forget: Callable[[str], Awaitable[None]]
    reading_seconds: float
    clock_ms: Callable[[], int] = now_ms


class GenerationAdmin:
    """The work on the generations of one projection.

    Args:
        ports: what it stands on.
        projection: the projection's name.

    Raises:
        NotFound: there is no such projection.
    """

    def __init__(self, ports: AdminPorts, projection: str) -> None:
        self.ports = ports
        self._projection = projection_named(projection)
        self.name = projection

    async def generations(self) -> Generations:
        """The projection's generations as they are now."""
        return (await self.ports.pointers.read(serial=True)).of(self.name)

    def rows(self, number: int) -> RowStore:
        """The rows of a generation."""
        return self._resources(number).rows

    async def prepare(self, until_ms: int | None = None) -> Generations:
        """Have a generation to fold into, with its tables. Raises Conflict where another rebuild is under way."""
        generations = (await begin(self.ports.pointers, self.name, until_ms)).of(self.name)
        if generations.building is not None:
            for table in TABLES_OF[self.name]:
                await self.ports.create(generation_table(table, generations.building))
        return generations

    async def target(self, until_ms: int | None = None) -> Ends:
        """Where the projection's topics end now, or ended at a time."""
        return await self.ports.ends([topic.name for topic in self._projection.topics], until_ms)

    async def positions(self, number: int) -> Mapping[Source, StoredPosition]:
        """How far a generation has come."""
        return await self.rows(number).positions(self.name)

    async def fold(self, generations: Generations, share: Share, heard: Heard) -> None:
        """Fold the log into the generation that is being built, up to its end or to the time that it is built for.

        Raises:
            Conflict: nothing is being built, or the log grows faster than it is folded.
            LogTruncated, LogUnavailable, StoreUnavailable: as `Rebuild.to`.
        """
        number = generations.building
        if number is None:
            raise Conflict("nothing-built", f"no generation of {self.name} is being built")
        rows = self.rows(number)
        fresh = not await rows.positions(self.name)
        resources = self._resources(number)
        remembering = replace(resources, rows=RememberedRows(rows, fresh=fresh))
        rebuild = Rebuild(
            self.ports.kafka, self._projection, building_step(remembering, self._projection, number), share, heard
        )
        if generations.until_ms is not None:
            await rebuild.to(await self.target(generations.until_ms))
            return

        async def ends() -> Ends:
            return {place: end for place, end in (await self.target()).items() if share.has(place)}

        await catch_up(rebuild, ends, lambda: self.positions(number))

    async def finish(self, generations: Generations) -> bool:
        """Have live jobs take over what was built; False where they do not come to it: no worker runs, or they lag."""
        number = generations.building
        if number is None or generations.until_ms is not None:
            return True
        await hand_over(self.ports.pointers, self.name, number, self.ports.clock_ms())
        live = (await self.generations()).live
        return await taken_over(self.rows(live), self.rows(number), self.name)

    async def verify(self, number: int | None = None, heard: Callable[[int], None] = lambda rows: None) -> Verdict:
        """Compare a generation with the live one.

        Args:
            number: which one; the one that is built, or else the one before, where none is given.
            heard: told how many rows were compared.

        Raises:
            Conflict: there is nothing to compare with.
            PositionTimeout: the generation does not come to where the log ends.
        """
        generations = await self.generations()
        other = number or generations.building or generations.previous
        if other is None or other not in generations.kept or other == generations.live:
            raise Conflict(
                "nothing-to-compare", f"{self.name} has no other generation; `rebuild {self.name}` makes one"
            )
        if generations.until_ms is not None and other == generations.building:
            raise Conflict("built-for-a-time", f"generation {other} is as things stood at a time, not as they are")
        verification = Verification(self.name, self.rows(generations.live), self.rows(other), self.target)
        return await verification.verdict(heard)

    async def swap(self, accepted: str | None = None, heard: Callable[[int], None] = lambda rows: None) -> Pointers:
        """Show the generation that was built.

        Args:
            accepted: the digest of the differences that the operator means.
            heard: told how many rows were compared.

        Raises:
            Conflict: it lags, or differs from the live one in a way that nobody accepted.
        """
        generations = await self.generations()
        generations.swapped(self.ports.clock_ms())  # raises what speaks against it, before anything is compared
        await self._seen(generations.fed_ms)
        await self._ready(generations.live, generations.building or 0)
        await self._folds_all(generations.live, generations.building or 0)
        verdict = await self.verify(generations.building, heard)
        if not verdict.same and accepted != str(verdict.differences):
            raise Conflict("generations-differ", _differing(self.name, verdict, accepted))
        return await self._move(generations, lambda now: now.swapped(self.ports.clock_ms()))

    async def rollback(self) -> Pointers:
        """Show the generation before again. Raises Conflict where there is none, or it lags."""
        generations = await self.generations()
        generations.rolled_back(self.ports.clock_ms())
        await self._seen(generations.swapped_ms)
        await self._ready(generations.live, generations.previous or 0)
        return await self._move(generations, lambda now: now.rolled_back(self.ports.clock_ms()))

    async def prune(self) -> tuple[int, ...]:
        """Give up every generation but the live one; the numbers of those whose tables are gone."""

        def pruned(now: Pointers) -> Pointers:
            before = now.of(self.name)
            after = before.pruned()
            return now if after == before else now.changed(self.name, after)

        generations = (await change_pointers(self.ports.pointers, pruned)).of(self.name)
        if not generations.doomed:
            return ()
        # Requests that began before see the old ones until they end, and jobs feed them until they have looked again.
        await self._seen(self.ports.clock_ms())
        await self._seen(generations.swapped_ms, self.ports.reading_seconds)
        for number in generations.doomed:
            for table in TABLES_OF[self.name]:
                await self.ports.drop(generation_table(table, number))
            await self.ports.forget(generation_name(self.name, number))
            await change_pointers(self.ports.pointers, partial(self._forgotten, number))
        return generations.doomed

    def _forgotten(self, number: int, now: Pointers) -> Pointers:
        return now.changed(self.name, now.of(self.name).forgotten(number))

    async def _move(self, seen: Generations, change: Callable[[Generations], Generations]) -> Pointers:
        def moved(now: Pointers) -> Pointers:
            before = now.of(self.name)
            if before != seen:
                raise Conflict("generations-changed", f"somebody else changed the generations of {self.name}")
            return now.changed(self.name, change(before))

        return await change_pointers(self.ports.pointers, moved)

    async def _ready(self, live: int, number: int) -> None:
        """Wait until a generation is where the live one is, and nowhere ahead of it."""
        waited = 0.0
        while True:
            ahead = await self.positions(number)
            positions = await self.positions(live)
            if is_behind(positions, ahead) and is_behind(await self.positions(number), positions):
                return
            if waited >= _CATCH_UP_SECONDS:
                raise Conflict("generation-lags", f"generation {number} of {self.name} is not where the live one is")
            await asyncio.sleep(_LOOK_SECONDS)
            waited += _LOOK_SECONDS

    async def _folds_all(self, live: int, number: int) -> None:
        """See that a generation has folded what the live one has: nothing waits behind a record that only it could not.

        Raises:
            Conflict: something does. A rebuild sends no dead letters, so nobody could retry it.
        """
        known, stored = await self.positions(live), await self.positions(number)
        for source, position in stored.items():
            of_live = known.get(source)
            waiting = position.parked.keys() - (of_live.parked.keys() if of_live is not None else set())
            if waiting:
                where = f"{len(waiting)} keys of {source.topic}/{source.partition}"
                raise Conflict("generation-fails", f"generation {number} could not fold {where}, as the live one did")

    async def _seen(self, changed_ms: int, seconds: float = SEEN_MS / 1_000) -> None:
        """Wait until a change is seen everywhere."""
        await asyncio.sleep(max(0.0, (changed_ms - self.ports.clock_ms()) / 1_000 + seconds))

    def _resources(self, number: int) -> JobResources:
        return self.ports.at(Selection({self.name: number}))


def projection_named(name: str) -> Projection:
    """A projection by its name. Raises NotFound."""
    for projection in PROJECTIONS:
        if projection.name == name:
            return projection
    known = ", ".join(projection.name for projection in PROJECTIONS)
    raise NotFound("no-such-projection", f"there is no projection {name}; there are {known}")


def _differing(name: str, verdict: Verdict, accepted: str | None) -> str:
    if verdict.moving:
        return f"{verdict.moving} rows of {name} change all the time and could not be compared; try again"
    told = (
        f"{verdict.differences.rows} rows of {name} differ, and the digest of the differences is {verdict.differences}"
    )
    meant = f", not {accepted}" if accepted else ""
    return f"{told}{meant}; `verify {name}` prints them, `swap {name} --accept-diff {verdict.differences}` means them"
