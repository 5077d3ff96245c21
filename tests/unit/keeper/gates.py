"""What a keeper of the tests works with: a log that it reads as the member of a group, and ports whose calls wait to be
let through, so that anything may come between any two.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from photolog.log.record import StoredRecord
from photolog.positions import Position
from projections.stores.port import Source
from transcode.progress import Place, Progress


class Message:
    """A record as the client hands it over."""

    def __init__(self, record: StoredRecord) -> None:
        self._record = record

    def error(self) -> None:
        return None

    def topic(self) -> str:
        return self._record.topic

    def partition(self) -> int:
        return self._record.partition

    def offset(self) -> int:
        return self._record.offset

    def key(self) -> bytes | None:
        return self._record.key

    def value(self) -> bytes | None:
        return self._record.value

    def headers(self) -> list[tuple[str, bytes | None]]:
        return list(self._record.headers)

    def timestamp(self) -> tuple[int, int]:
        return 1, self._record.timestamp_ms


class MemoryRecords:
    """`keeper.reader.Records` over the river's log: a member that has all partitions.

    Args:
        log: the log.
        topic: what is read.
        committed: the group's offsets; they outlive the process.
    """

    def __init__(self, log: Any, topic: str, committed: dict[Place, int]) -> None:
        self.progress = Progress()
        self.committed = committed
        self.held: set[Place] = set()
        self._log = log
        self._topic = topic
        self._read = dict(committed)
        self.moved = False

    async def open(self) -> None:
        return None

    async def poll(self, *, room: bool) -> Any:
        await asyncio.sleep(0)
        self.committed |= self.progress.committable()
        self.moved = False
        for place, records in self._log.partitions.items():
            if room and place[0] == self._topic and place not in self.held and self._read.get(place, 0) < len(records):
                self._read[place] = self._read.get(place, 0) + 1
                self.moved = True
                return Message(records[self._read[place] - 1])
        return None

    def hold(self, place: Place) -> None:
        self.held.add(place)

    def release(self, place: Place) -> None:
        self.held.discard(place)

    def holds(self, place: Place) -> bool:
        return place in self.held

    async def close(self) -> None:
        self.committed |= self.progress.committable()


class Gate:
    """Calls that wait to be let through, those of one keeper."""

    def __init__(self) -> None:
        self.waiting: list[asyncio.Future[None]] = []

    async def passed(self) -> None:
        """Return once it is let through."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        await future

    def let_through(self, which: int) -> bool:
        """Let one of those that wait go on; whether there was one."""
        self.waiting = [future for future in self.waiting if not future.done()]
        if not self.waiting:
            return False
        self.waiting.pop(which % len(self.waiting)).set_result(None)
        return True


class Gated:
    """A port whose calls wait at a gate first; those that list wait before they begin to."""

    def __init__(self, inner: Any, gate: Gate) -> None:
        self._inner = inner
        self._gate = gate

    def __getattr__(self, name: str) -> Any:
        answer = getattr(self._inner, name)
        if name == "keys":
            return answer

        async def called(*arguments: Any, **options: Any) -> Any:
            await self._gate.passed()
            return await answer(*arguments, **options)

        return called


class GatedModels:
    """`keeper.read_models.ReadModels` over the river's rows; whoever waits looks again each time it is let through."""

    def __init__(self, rows: Any, gate: Gate) -> None:
        self._rows = rows
        self._gate = gate
        self.parked_keys: set[tuple[str, bytes]] = set()

    async def past(self, model: str, positions: Iterable[Position]) -> None:
        for position in positions:
            await self._gate.passed()
            while not await self._is_past(Source(model, position.topic, position.partition), position.offset):
                await self._gate.passed()

    async def _is_past(self, source: Source, offset: int) -> bool:
        stored = await self._rows.position(source)
        return stored is not None and stored.next_offset > offset

    async def parked(self, model: str, key: bytes) -> bool:
        await self._gate.passed()
        return (model, key) in self.parked_keys
