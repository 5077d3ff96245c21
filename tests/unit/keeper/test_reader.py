"""The delayed reader: in the order of the log, each record when it is due, and none lost."""

import asyncio
from dataclasses import dataclass, field

import msgspec
import pytest

from keeper.reader import DelayedReader
from keeper.rules import Delay, Rule, Told
from photolog.errors import StoreUnavailable
from photolog.log.record import EncodedRecord
from schemas import events as e
from schemas.topics import MEDIA_COMPLETED
from tests.unit.keeper.gates import MemoryRecords
from tests.unit.keeper.world import spin
from tests.unit.streams.river import NOW_MS, SERDE, MemoryLog, encoded
from tests.unit.streams.scenario import failed, ready
from transcode.progress import Place

DELAY_SECONDS = 60.0


@dataclass
class Bench:
    """A reader, its log and its clock; `done` is what was done, `doing` what waits for its gate."""

    log: MemoryLog = field(default_factory=MemoryLog)
    committed: dict[Place, int] = field(default_factory=dict)
    done: list[int] = field(default_factory=list)
    gates: dict[int, asyncio.Event] = field(default_factory=dict)
    away: int = 0
    now_ms: int = NOW_MS
    delay: Delay = DELAY_SECONDS

    def __post_init__(self) -> None:
        self.start()

    def start(self, at_once: int = 10) -> None:
        """A process begins where the group had committed."""
        rule = Rule("tested", MEDIA_COMPLETED, (e.MediaTranscodingCompleted,), self.delay, self.deed)
        self.records = MemoryRecords(self.log, rule.topic.name, self.committed)
        self.reader = DelayedReader(rule, self.records, SERDE, lambda: self.now_ms, at_once)

    async def deed(self, told: Told) -> None:
        if self.away:
            self.away -= 1
            raise StoreUnavailable("away")
        if told.event.media_id in self.gates:
            await self.gates[told.event.media_id].wait()
        self.done.append(told.event.media_id)

    def append(self, media_id: int, owner_id: int = 1, at_ms: int = NOW_MS) -> None:
        self.log.append(encoded(ready(media_id, owner_id), at_ms=at_ms))

    async def turns(self, seconds: float = 0.0) -> None:
        """Time passes, and the reader takes what it may."""
        self.now_ms += round(seconds * 1_000)
        for _ in range(12):
            await self.reader.turn()
            await spin()


async def test_a_record_waits_until_it_is_due_and_those_behind_it_with_it() -> None:
    bench = Bench()
    bench.append(1)
    bench.append(2, at_ms=NOW_MS + 30_000)
    await bench.turns(59.9)
    assert bench.done == []
    await bench.turns(0.1)
    assert bench.done == [1]
    await bench.turns(30)
    assert bench.done == [1, 2]


async def test_where_events_tell_for_themselves_how_old_they_are_to_be_each_waits_for_its_own_time() -> None:
    bench = Bench(delay=lambda event: event.media_id)
    bench.append(50)
    bench.append(10)
    bench.append(80)
    await bench.turns(49.9)
    assert bench.done == []
    await bench.turns(0.1)
    assert bench.done == [50, 10], "one that waits for longer holds up what is behind it"
    await bench.turns(30)
    assert bench.done == [50, 10, 80]


async def test_where_events_tell_for_themselves_others_and_broken_records_hold_nothing_up() -> None:
    bench = Bench(delay=lambda event: 60.0)
    bench.log.append(encoded(failed(1, 1)))
    bench.log.append(msgspec.structs.replace(encoded(ready(2, 1)), value=b"\0\0\0\0\1broken"))
    bench.append(3)
    await bench.turns()
    assert bench.records.progress.committable() == {("media.transcoding.completed", encoded_place(1)): 2}
    await bench.turns(60)
    assert bench.done == [3]


async def test_a_partition_that_waits_holds_no_other_up() -> None:
    bench = Bench()
    one, other = 1, next(owner for owner in range(2, 99) if encoded_place(owner) != encoded_place(1))
    bench.append(1, owner_id=one, at_ms=NOW_MS + 50_000)
    await bench.turns(50)
    bench.append(2, owner_id=other)
    await bench.turns(10)
    assert bench.done == [2]


def encoded_place(owner_id: int) -> int:
    return MemoryLog().append(encoded(ready(1, owner_id))).partition


async def test_a_clock_that_ran_ahead_delays_by_no_more_than_the_rule() -> None:
    bench = Bench()
    bench.append(1, at_ms=NOW_MS + 10**9)
    await bench.turns()
    await bench.turns(DELAY_SECONDS)
    assert bench.done == [1]


async def test_what_was_not_done_is_done_by_the_next_process() -> None:
    bench = Bench(gates={2: asyncio.Event()})
    for media_id in (1, 2, 3):
        bench.append(media_id)
    await bench.turns(DELAY_SECONDS)
    assert bench.done == [1, 3]
    bench.gates.clear()
    bench.start()
    await bench.turns()
    assert bench.done == [1, 3, 2, 3], "done at least once"


async def test_what_was_held_is_read_again_by_whom_the_partition_is_given_to() -> None:
    bench = Bench()
    bench.append(1)
    await bench.turns()
    bench.records.held.clear()  # the partition is another's
    await bench.turns(DELAY_SECONDS)
    assert bench.done == []
    bench.start()
    await bench.turns()
    assert bench.done == [1]


async def test_no_more_is_begun_at_once_than_may_be() -> None:
    bench = Bench(gates={1: asyncio.Event(), 2: asyncio.Event()})
    bench.start(at_once=2)
    for media_id in (1, 2, 3):
        bench.append(media_id, at_ms=NOW_MS - 10**6)
    await bench.turns()
    assert bench.done == []
    bench.gates[1].set()
    await bench.turns()
    assert bench.done == [1, 3]


async def test_an_engine_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(seconds: float) -> None:
        await spin()

    monkeypatch.setattr("photolog.stall.sleep", at_once)
    bench = Bench(away=3)
    bench.append(1, at_ms=NOW_MS - 10**6)
    await bench.turns()
    assert bench.done == [1]


async def test_what_is_no_event_of_the_rules_is_passed_over() -> None:
    bench = Bench()
    noise = EncodedRecord(topic=MEDIA_COMPLETED.name, key=b"1", value=b"noise", headers=(), timestamp_ms=0)
    bench.log.append(noise)
    bench.log.append(encoded(e.MediaCollected(media_id=9, owner_id=1), at_ms=0))
    bench.append(1, at_ms=0)
    await bench.turns()
    assert bench.done == [1]
    assert bench.records.progress.committable() == {(MEDIA_COMPLETED.name, encoded_place(1)): 3}


async def test_a_deed_that_cannot_be_done_ends_the_process() -> None:
    bench = Bench()

    async def broken(told: Told) -> None:
        raise ZeroDivisionError

    rule = Rule("broken", MEDIA_COMPLETED, (e.MediaTranscodingCompleted,), 0, broken)
    reader = DelayedReader(rule, bench.records, SERDE, lambda: bench.now_ms)
    bench.append(1)
    with pytest.raises(ZeroDivisionError):
        await reader.run(asyncio.Event())
    assert bench.records.progress.committable()[MEDIA_COMPLETED.name, encoded_place(1)] == 0
