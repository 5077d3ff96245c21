"""Read your own writes: a request that carries a position waits until its models have come that far.

A model is covered directly where it folds the position's topic, or through one hop: a projection that folds the topic
stores its position together with where its outputs stood, so the wait goes on at the model that folds those outputs.
Where a job appends to its own topic (a post's publication), that record's outputs are followed too.
All waits for one projection share one poll of its positions: a thousand waiting readers cost what one does.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial

from gateway.read_models import FURTHER_HOPS, READ_MODELS, Path, ReadModel, ReadModelMap, positions_of
from photolog.errors import Invalid, PositionTimeout, StoreUnavailable
from photolog.positions import HEADER, POSITIONS_MAX, Position
from projections.stores.generation_positions import Selected, first_generations
from projections.stores.port import PositionStore, RowStore, Source, StoredPosition

FIRST_POLL_SECONDS = 0.004
LAST_POLL_SECONDS = 0.03
_KNOWN_SECONDS = 1.0
Stored = Mapping[Source, StoredPosition]


class PositionWaiter:
    """Waits for read models.

    Args:
        rows: holds the positions of projections.
        timelines: holds the feed's.
        wait_ms: how long one wait may take.
        models: all read models.
        selected: the generations that the waiting request sees.
    """

    def __init__(
        self,
        rows: RowStore,
        timelines: PositionStore,
        wait_ms: int,
        models: Sequence[ReadModel] = READ_MODELS,
        selected: Selected = first_generations,
    ) -> None:
        self._selected = selected
        self._stores: dict[str, PositionStore] = {m.name: timelines if m.in_timelines else rows for m in models}
        self._wait_seconds = wait_ms / 1000
        self._map = ReadModelMap(models)
        self._path = lru_cache(maxsize=1_024)(self._map.path)
        self._watches: dict[tuple[str, int], _Watch] = {}

    async def wait(self, models: Sequence[str], positions: Iterable[Position]) -> tuple[str, ...]:
        """Wait until each model covers every position that concerns it.

        Returns:
            Models that may not cover a position: it leads there by too many hops, or Redis is away and rows stand in.

        Raises:
            Invalid: a position names a topic that is not ours.
            PositionTimeout: a model did not come that far in time.
            StoreUnavailable: its positions could not be read.
        """
        far: set[str] = set()
        waits: list[Callable[[], Awaitable[object]]] = []
        for position in positions:
            if position.topic not in self._map.topics:
                raise Invalid("malformed-position", f"there is no topic {position.topic}", HEADER)
            for model in models:
                match self._path(position.topic, model):
                    case Path.DIRECT:
                        waits.append(partial(self._reach, model, position, far))
                    case Path.FAR:
                        far.add(model)
                    case ReadModel(name=between):
                        waits.append(partial(self._hop, between, model, position, far))
        if waits:
            await self._within_bound(waits)
        return tuple(sorted(far))

    def known(self, models: Sequence[str]) -> tuple[Position, ...]:
        """Positions that the models were seen to cover, a moment ago; what they cover now is no less.

        Empty where nothing was seen yet, or where there are too many for a header.
        """
        found: tuple[Position, ...] = ()
        for model in models:
            found += self._watch(model).known()
        return found if len(found) <= POSITIONS_MAX else ()

    async def close(self) -> None:
        """Stop polling."""
        for watch in self._watches.values():
            await watch.close()

    def _watch(self, model: str) -> "_Watch":
        """Each generation's: what one has applied says nothing of another."""
        key = (model, self._selected().number(model))
        if key not in self._watches:
            # One that is polled belongs to requests of the generation that began it, and so is what it reads.
            self._watches[key] = _Watch(self._stores[model], model)
        return self._watches[key]

    async def _reach(self, model: str, position: Position, far: set[str]) -> None:
        try:
            await self._watch(model).reach(_beyond(model, position))
        except StoreUnavailable:
            if not self._map.models[model].in_timelines:
                raise
            # Timelines are caches. A page that cannot have them comes from rows, and is told not to cover this.
            far.add(model)

    async def _hop(
        self, between: str, model: str, position: Position, far: set[str], further: int = FURTHER_HOPS
    ) -> None:
        stored = await self._watch(between).reach(_beyond(between, position))
        outputs = stored[Source(between, position.topic, position.partition)].outputs
        await asyncio.gather(*(self._follow(output, model, far, further) for output in positions_of(outputs)))

    async def _follow(self, output: Position, model: str, far: set[str], further: int) -> None:
        match self._path(output.topic, model):
            case Path.DIRECT:
                await self._reach(model, output, far)
            case ReadModel(name=between) if further > 0:
                await self._hop(between, model, output, far, further - 1)

    async def _within_bound(self, waits: Sequence[Callable[[], Awaitable[object]]]) -> None:
        try:
            async with asyncio.timeout(self._wait_seconds):
                await asyncio.gather(*(wait() for wait in waits))
        except TimeoutError as error:
            raise PositionTimeout("a read model is behind the position") from error


Reached = Callable[[Stored], bool]


def _beyond(projection: str, position: Position) -> Reached:
    source = Source(projection, position.topic, position.partition)

    def reached(stored: Stored) -> bool:
        at = stored.get(source)
        return at is not None and at.next_offset > position.offset

    return reached


def _covered(stored: Stored) -> tuple[Position, ...]:
    return tuple(
        Position(source.topic, source.partition, at.next_offset - 1)
        for source, at in stored.items()
        if at.next_offset > 0
    )


class _Watch:
    """One projection's positions, polled while somebody waits for them."""

    def __init__(self, store: PositionStore, projection: str) -> None:
        self._store = store
        self._projection = projection
        self._seen: Stored = {}
        self._known: tuple[Position, ...] = ()
        self._seen_at = float("-inf")
        self._waiting: dict[asyncio.Future[Stored], Reached] = {}
        self._pause_seconds = FIRST_POLL_SECONDS
        self._poller: asyncio.Task[None] | None = None

    async def reach(self, reached: Reached) -> Stored:
        """The positions, once they are as wanted."""
        if reached(self._seen):
            return self._seen
        future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._waiting[future] = reached
        self._pause_seconds = FIRST_POLL_SECONDS
        self._start()
        try:
            return await future
        finally:
            self._waiting.pop(future, None)

    def known(self) -> tuple[Position, ...]:
        """What was seen last; looks again in the background where that is a while ago."""
        if time.monotonic() - self._seen_at > _KNOWN_SECONDS:
            self._start()
        return self._known

    async def close(self) -> None:
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)

    def _start(self) -> None:
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())

    async def _poll(self) -> None:
        while True:
            self._seen_at = time.monotonic()
            try:
                self._seen = await self._store.positions(self._projection)
            except StoreUnavailable as error:
                self._fail(error)
                return
            self._known = _covered(self._seen)
            self._settle()
            if not self._waiting:
                return
            await asyncio.sleep(self._pause_seconds)
            self._pause_seconds = min(self._pause_seconds * 1.5, LAST_POLL_SECONDS)

    def _settle(self) -> None:
        for future, reached in list(self._waiting.items()):
            if not future.done() and reached(self._seen):
                future.set_result(self._seen)
                del self._waiting[future]

    def _fail(self, error: StoreUnavailable) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_exception(error)
        self._waiting.clear()
