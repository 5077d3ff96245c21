"""The moderation worker over fakes: one verdict for each, appended before the offset, and nothing lost on the way."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from moderation.classifier import Judgement, Label
from moderation.panel import Panel, Patience
from moderation.worker import FILE_BYTES_MAX, ModerationWorker
from photolog import stall
from schemas import events as e
from schemas.topics import MEDIA_COMPLETED
from tests.unit.moderation.world import MEDIA, Spoken
from tests.unit.streams.river import SERDE, MemoryLog
from tests.unit.transcode.test_worker import FakeIntake, FakeMessage, until

ALLOWED = Judgement("allowed")
REVIEW = Judgement("review", "hm", "nudity", {Label.NUDITY: 0.5})
PLACE = (MEDIA_COMPLETED.name, 0)


class Bench:
    def __init__(self, *events: e.Event | None, classifier: Spoken | None = None, at_once: int = 4) -> None:
        messages = [FakeMessage(at, event, topic=MEDIA_COMPLETED.name) for at, event in enumerate(events)]
        self.count = len(messages)
        self.intake: Any = FakeIntake(messages)
        self.log = MemoryLog()
        self.classifier = classifier or Spoken("first", ALLOWED)
        panel = Panel([self.classifier], Patience(5.0, 2))
        self.worker = ModerationWorker(self.intake, panel, _fetched, SERDE, self.log, at_once, clock_ms=lambda: 5)
        self.stop = asyncio.Event()

    def verdicts(self) -> list[Any]:
        records = self.log.of(MEDIA_COMPLETED.name)
        return [SERDE.open_record(SERDE.parse(record.value), lambda _: None) for record in records]

    def committable(self) -> int:
        return int(self.intake.progress.committable().get(PLACE, 0))

    async def run_until(self, reached: Callable[[], bool]) -> None:
        running = asyncio.create_task(self.worker.run(self.stop, asyncio.Event()))
        await until(lambda: reached() or running.done())
        self.stop.set()
        await running

    async def run_to_the_end(self) -> None:
        await self.run_until(lambda: self.committable() == self.count)


async def _fetched(key: str) -> bytes:
    return key.encode()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    async def pause(seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(stall, "sleep", pause)


async def test_what_waits_is_judged_once_and_nothing_else_is() -> None:
    bench = Bench(
        MEDIA,
        msgspec.structs.replace(MEDIA, media_id=8, moderation="none"),
        e.MediaTranscodingFailed(media_id=9, owner_id=11, reason="x", detail=""),
        e.MediaJudged(media_id=7, owner_id=11, verdict="allowed", reason="", classifier="x"),
        None,
        classifier=Spoken("first", REVIEW),
    )
    await bench.run_to_the_end()
    assert bench.verdicts() == [
        e.MediaJudged(
            media_id=7,
            owner_id=11,
            verdict="review",
            reason="hm",
            classifier="first",
            rule="nudity",
            labels=[e.MediaLabel(name="nudity", score=0.5)],
        )
    ]


async def test_a_verdict_has_the_same_id_whenever_it_is_given_and_names_its_cause() -> None:
    benches = [Bench(MEDIA), Bench(MEDIA, classifier=Spoken("first", REVIEW))]
    for bench in benches:
        await bench.run_to_the_end()
    records = [bench.log.of(MEDIA_COMPLETED.name)[0] for bench in benches]
    assert len({record.header("ce_id") for record in records}) == 1
    assert {record.header("correlation_id") for record in records} == {b"from-the-upload"}
    assert None not in {record.header("causation_id") for record in records}


async def test_nothing_is_committed_before_its_verdict_is_in_the_log() -> None:
    gate = asyncio.Event()

    async def waits() -> Judgement:
        await gate.wait()
        return ALLOWED

    bench = Bench(MEDIA, msgspec.structs.replace(MEDIA, media_id=8), classifier=Spoken("first", waits, ALLOWED))
    running = asyncio.create_task(bench.worker.run(bench.stop, asyncio.Event()))
    await until(lambda: len(bench.verdicts()) == 1)
    assert [one.media_id for one in bench.verdicts()] == [8]
    assert bench.committable() == 0
    gate.set()
    await until(lambda: bench.committable() == 2)
    bench.stop.set()
    await running
    assert sorted(one.media_id for one in bench.verdicts()) == [7, 8]


async def test_a_log_that_is_away_is_waited_for() -> None:
    bench = Bench(MEDIA)
    bench.log.away = 3
    await bench.run_to_the_end()
    assert len(bench.verdicts()) == 1


async def test_no_more_are_judged_at_once_than_may_be() -> None:
    gate, most = asyncio.Event(), 0

    async def waits() -> Judgement:
        await gate.wait()
        return ALLOWED

    events = [msgspec.structs.replace(MEDIA, media_id=number) for number in range(1, 9)]
    bench = Bench(*events, classifier=Spoken("first", waits), at_once=3)
    running = asyncio.create_task(bench.worker.run(bench.stop, asyncio.Event()))
    await until(lambda: bench.classifier.asked == 3)
    await asyncio.sleep(0.05)
    most = bench.classifier.asked
    gate.set()
    await until(lambda: bench.committable() == 8)
    bench.stop.set()
    await running
    assert most == 3


async def test_told_to_end_it_finishes_what_it_began() -> None:
    gate = asyncio.Event()

    async def waits() -> Judgement:
        await gate.wait()
        return ALLOWED

    bench = Bench(MEDIA, classifier=Spoken("first", waits))
    running = asyncio.create_task(bench.worker.run(bench.stop, asyncio.Event()))
    await until(lambda: bench.classifier.asked == 1)
    bench.stop.set()
    await asyncio.sleep(0.05)
    gate.set()
    await running
    assert (len(bench.verdicts()), bench.committable()) == (1, 1)


async def test_a_file_that_is_too_large_is_read_by_no_classifier() -> None:
    large = msgspec.structs.replace(MEDIA.variants[0], size_bytes=FILE_BYTES_MAX + 1)

    class Reading(Spoken):
        async def judge(self, subject: Any) -> Judgement:
            await subject.fetch(subject.likeness)
            return ALLOWED

    bench = Bench(msgspec.structs.replace(MEDIA, variants=[large]), classifier=Reading("reading", ALLOWED))
    await bench.run_to_the_end()
    (verdict,) = bench.verdicts()
    assert verdict.verdict == "review"
    assert "w320.jpeg has" in verdict.reason
