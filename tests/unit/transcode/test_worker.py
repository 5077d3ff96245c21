"""The transcode worker over fakes: several photographs at once, answers in order, nothing committed too early."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from photolog import stall
from photolog.engines.object_store import ObjectHead, ObjectRefused
from photolog.errors import LogUnavailable, StoreUnavailable
from photolog.ids import new_event_id
from photolog.log.record import EncodedRecord, event_headers
from photolog.media.content_keys import ContentKey
from photolog.positions import Position
from projections.stores.memory_rows import MemoryRows
from schemas.events import (
    Event,
    MediaTranscodingCompleted,
    MediaTranscodingFailed,
    MediaTranscodingRequested,
    PostLiked,
)
from schemas.serde import SCHEMAS, Serde
from schemas.topics import MEDIA_COMPLETED, MEDIA_REQUESTED
from tests.unit.transcode.pictures import PRINTS
from transcode import worker
from transcode.errors import Reason, SandboxUnavailable, UnprocessableMedia
from transcode.fingerprints.phash import unsigned
from transcode.job import TranscodeJob
from transcode.plan import Made, thumbprint_key, variant_plan
from transcode.progress import Progress
from transcode.sharing import Sharing
from transcode.sniff import PhotoType
from transcode.worker import TranscodeWorker

SERDE = Serde({event: number for number, event in enumerate(SCHEMAS, start=1)})
PLACE = (MEDIA_REQUESTED.name, 0)
CONTENT_KEY = ContentKey(b"k" * 32)
ALONE = Sharing(None, CONTENT_KEY)


def request(media_id: int, owner_id: int = 1, content_type: str = "image/jpeg") -> MediaTranscodingRequested:
    return MediaTranscodingRequested(
        media_id=media_id, owner_id=owner_id, object_key=f"raw/{media_id}", content_type=content_type, size_bytes=3
    )


class FakeMessage:
    """A record as the client hands it over; without an event it is none of ours."""

    def __init__(self, offset: int, event: Event | None, owner_id: int = 1, topic: str = PLACE[0]) -> None:
        self._offset = offset
        self._topic = topic
        self._key = str(owner_id).encode()
        self._value = b"poison" if event is None else SERDE.encode(event, lambda _: None)

    def error(self) -> None:
        return None

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return PLACE[1]

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes:
        return self._key

    def value(self) -> bytes:
        return self._value

    def headers(self) -> list[tuple[str, bytes]]:
        return list(event_headers(new_event_id(), "x", 1, "from-the-upload"))

    def timestamp(self) -> tuple[int, int]:
        return 1, 1


class FakeIntake:
    def __init__(self, messages: Sequence[FakeMessage]) -> None:
        self.progress = Progress()
        self.waiting = list(messages)
        self.most_open = 0
        self.closed = False

    async def open(self) -> None:
        return None

    async def poll(self, *, room: bool) -> Any:
        await asyncio.sleep(0)
        return self.waiting.pop(0) if room and self.waiting else None

    async def lags(self) -> dict[tuple[str, int], int]:
        return {}

    async def close(self) -> None:
        self.closed = True


class FakeObjects:
    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.away = 0
        self.gone_after_head = False

    async def head(self, key: str) -> ObjectHead | None:
        self._maybe_away()
        return ObjectHead(len(self.held[key]), "e", "image/jpeg") if key in self.held else None

    async def get(self, key: str) -> bytes:
        if self.gone_after_head:
            raise ObjectRefused("gone")
        return self.held[key]

    async def read_range(self, key: str, start: int, length: int) -> bytes:
        if self.gone_after_head:
            raise ObjectRefused("gone")
        return self.held[key][start : start + length]

    async def put_file(self, key: str, path: Path, content_type: str, cache_control: str | None = None) -> None:
        self._maybe_away()
        self.held[key] = await asyncio.to_thread(path.read_bytes)

    async def put(self, key: str, data: bytes, content_type: str, cache_control: str | None = None) -> None:
        self._maybe_away()
        self.held[key] = data

    def _maybe_away(self) -> None:
        if self.away > 0:
            self.away -= 1
            raise StoreUnavailable("away")


class FakeVariants:
    """Makes small variants; holds each photograph whose bytes are in `gates` until its gate opens."""

    def __init__(self) -> None:
        self.gates: dict[bytes, asyncio.Event] = {}
        self.refusals: dict[bytes, UnprocessableMedia] = {}
        self.unavailable = 0
        self.at_once = 0
        self.most_at_once = 0

    async def make(self, data: bytes, kind: PhotoType) -> Made:
        if self.unavailable > 0:
            self.unavailable -= 1
            raise SandboxUnavailable("no decoder")
        if data in self.refusals:
            raise self.refusals[data]
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        if data in self.gates:
            await self.gates[data].wait()
        await asyncio.sleep(0)
        self.at_once -= 1
        return Made(640, 400, tuple((variant, b"v" + data) for variant in variant_plan(640, 400)), PRINTS)


class FakeVideos:
    """Makes videos once `gate` is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.begun = 0
        self.cancelled = 0
        self.refusal: Exception | None = None

    async def completed(self, request: MediaTranscodingRequested) -> MediaTranscodingCompleted:
        self.begun += 1
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.refusal is not None:
            raise self.refusal
        return MediaTranscodingCompleted(
            media_id=request.media_id,
            owner_id=request.owner_id,
            width=640,
            height=360,
            variants=[],
            kind="video",
            duration_ms=2_000,
        )


class FakeLog:
    def __init__(self) -> None:
        self.records: list[EncodedRecord] = []
        self.away = 0

    async def append_all(self, records: Sequence[EncodedRecord]) -> list[Position]:
        if self.away > 0:
            self.away -= 1
            raise LogUnavailable("away")
        self.records += records
        return [Position(record.topic, 0, len(self.records)) for record in records]

    @property
    def answers(self) -> list[Any]:
        answers = [record for record in self.records if record.topic == MEDIA_COMPLETED.name]
        return [SERDE.open_record(SERDE.parse(record.value), lambda _: None) for record in answers]


class Bench:
    def __init__(
        self,
        *events: Event | None,
        owners: Sequence[int] | None = None,
        photographs_max: int = 4,
        moderated: bool = False,
    ) -> None:
        owners = owners or [1] * len(events)
        messages = [FakeMessage(at, event, owner) for at, (event, owner) in enumerate(zip(events, owners, strict=True))]
        self.intake: Any = FakeIntake(messages)
        self.objects = FakeObjects()
        for event in events:
            if isinstance(event, MediaTranscodingRequested):
                self.objects.held[event.object_key] = b"%d" % event.media_id
        self.variants = FakeVariants()
        self.videos = FakeVideos()
        self.voices = FakeVideos()
        self.log = FakeLog()
        self.rows = MemoryRows()
        job = TranscodeJob(self.objects, self.variants, self.videos, self.voices, ALONE, None, self.rows, bytes_max=10)
        self.worker = TranscodeWorker(
            self.intake, job, SERDE, self.log, photographs_max, clock_ms=lambda: 5, moderated=moderated
        )
        self.stop = asyncio.Event()

    async def run_until(self, reached: Callable[[], bool]) -> None:
        running = asyncio.create_task(self.worker.run(self.stop))
        await until(lambda: reached() or running.done())
        self.stop.set()
        await running

    def committable(self) -> int:
        return int(self.intake.progress.committable().get(PLACE, 0))


async def until(reached: Callable[[], bool]) -> None:
    """Let others run until it holds."""
    async with asyncio.timeout(20):
        while not reached():  # noqa: ASYNC110  # whatever the condition looks at, it signals nothing
            await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    async def pause(seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(stall, "sleep", pause)


async def test_a_photographs_variants_are_stored_and_named_in_the_answer() -> None:
    bench = Bench(request(7))
    await bench.run_until(lambda: len(bench.log.answers) == 1)
    (answer,) = bench.log.answers
    assert isinstance(answer, MediaTranscodingCompleted)
    assert (answer.media_id, answer.owner_id, answer.width, answer.height) == (7, 1, 640, 400)
    assert [variant.name for variant in answer.variants] == [variant.name for variant in variant_plan(640, 400)]
    assert all(bench.objects.held[variant.object_key] == b"v7" for variant in answer.variants)
    assert bench.objects.held[thumbprint_key(7)] == PRINTS.thumbprint
    assert answer.blurhash == PRINTS.blurhash
    assert unsigned(answer.phash or 0) == PRINTS.phash
    assert answer.digest == CONTENT_KEY.of(hashlib.sha256(b"7").hexdigest())
    assert dict(bench.log.records[0].headers)["correlation_id"] == b"from-the-upload"
    assert bench.committable() == 1


async def test_what_is_moderated_waits_for_a_verdict() -> None:
    bench = Bench(request(7), moderated=True)
    await bench.run_until(lambda: len(bench.log.answers) == 1)
    assert bench.log.answers[0].moderation == "pending"
    bench = Bench(request(7))
    await bench.run_until(lambda: len(bench.log.answers) == 1)
    assert bench.log.answers[0].moderation == "none"


async def test_the_same_request_gives_the_same_event_id_whenever_it_is_answered() -> None:
    first, second = Bench(request(7)), Bench(request(7))
    for bench in (first, second):
        await bench.run_until(lambda bench=bench: len(bench.log.answers) == 1)  # type: ignore[misc]
    ids = {dict(bench.log.records[0].headers)["ce_id"] for bench in (first, second)}
    assert len(ids) == 1


async def test_photographs_overlap_up_to_the_bound() -> None:
    bench = Bench(*(request(number) for number in range(10)), owners=range(1, 11), photographs_max=3)
    gate = asyncio.Event()
    bench.variants.gates = {b"%d" % number: gate for number in range(10)}
    running = asyncio.create_task(bench.worker.run(bench.stop))
    await until(lambda: bench.variants.at_once == 3)
    await asyncio.sleep(0.05)
    gate.set()
    await until(lambda: len(bench.log.answers) == 10)
    bench.stop.set()
    await running
    assert bench.variants.most_at_once == 3


async def test_answers_of_one_owner_keep_the_order_of_the_requests_and_others_do_not_wait() -> None:
    bench = Bench(request(1, 1), request(2, 1), request(3, 2), owners=[1, 1, 2])
    gate = bench.variants.gates[b"1"] = asyncio.Event()
    running = asyncio.create_task(bench.worker.run(bench.stop))
    await until(lambda: len(bench.log.answers) == 1)
    overtaking, committed_early = [answer.media_id for answer in bench.log.answers], bench.committable()
    gate.set()
    await until(lambda: len(bench.log.answers) == 3)
    bench.stop.set()
    await running
    assert (overtaking, committed_early) == ([3], 0)
    assert [answer.media_id for answer in bench.log.answers] == [3, 1, 2]
    assert bench.committable() == 3


@pytest.mark.parametrize("engine", ["bucket", "log", "sandbox"])
async def test_an_engine_that_is_away_is_waited_for(engine: str) -> None:
    bench = Bench(request(1), request(2))
    bench.objects.away = 5 * (engine == "bucket")
    bench.log.away = 5 * (engine == "log")
    bench.variants.unavailable = 5 * (engine == "sandbox")
    await bench.run_until(lambda: len(bench.log.answers) == 2)
    assert [answer.media_id for answer in bench.log.answers] == [1, 2]
    assert all(isinstance(answer, MediaTranscodingCompleted) for answer in bench.log.answers)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda bench: bench.variants.refusals.update({b"7": UnprocessableMedia(Reason.DAMAGED, "x")}), Reason.DAMAGED),
        (lambda bench: bench.objects.held.clear(), Reason.MISSING),
        (lambda bench: setattr(bench.objects, "gone_after_head", True), Reason.MISSING),
        (lambda bench: bench.objects.held.update({"raw/7": bytes(11)}), Reason.TOO_MANY_BYTES),
    ],
    ids=["refused", "gone", "gone in between", "too large"],
)
async def test_a_refused_photograph_is_answered_with_its_reason(spoil: Callable[[Bench], None], reason: Reason) -> None:
    bench = Bench(request(7))
    spoil(bench)
    await bench.run_until(lambda: len(bench.log.answers) == 1)
    (answer,) = bench.log.answers
    assert isinstance(answer, MediaTranscodingFailed)
    assert (answer.media_id, answer.reason) == (7, reason.value)
    assert bench.committable() == 1


async def test_a_type_that_we_do_not_take_is_refused_without_fetching_it() -> None:
    bench = Bench(request(7, content_type="video/webm"))
    bench.objects.held.clear()
    await bench.run_until(lambda: len(bench.log.answers) == 1)
    assert bench.log.answers[0].reason == Reason.NOT_AN_IMAGE.value


async def test_photographs_do_not_wait_for_videos() -> None:
    videos = [request(number, number, "video/mp4") for number in range(1, 6)]
    bench = Bench(
        *videos, *(request(number, number) for number in range(6, 12)), owners=range(1, 12), photographs_max=1
    )
    running = asyncio.create_task(bench.worker.run(bench.stop))
    await until(lambda: len(bench.log.answers) == 6)
    assert (bench.videos.begun, bench.committable()) == (5, 0)
    bench.videos.gate.set()
    await until(lambda: len(bench.log.answers) == 11)
    bench.stop.set()
    await running
    assert bench.committable() == 11
    assert {answer.kind for answer in bench.log.answers} == {"photo", "video"}


async def test_voice_notes_are_made_by_their_own_job_whatever_their_type_and_photographs_do_not_wait() -> None:
    voices = [msgspec.structs.replace(request(number, number), purpose="voice") for number in range(1, 6)]
    photographs = [request(number, number) for number in range(6, 9)]
    bench = Bench(*voices, *photographs, owners=range(1, 9), photographs_max=1)
    running = asyncio.create_task(bench.worker.run(bench.stop))
    await until(lambda: len(bench.log.answers) == 3)
    assert (bench.voices.begun, bench.committable()) == (5, 0)
    bench.voices.gate.set()
    await until(lambda: len(bench.log.answers) == 8)
    bench.stop.set()
    await running
    assert (bench.videos.begun, bench.committable()) == (0, 8)


async def test_only_so_many_videos_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "VIDEOS_MAX", 2)
    bench = Bench(*(request(number, number, "video/quicktime") for number in range(1, 6)), owners=range(1, 6))
    running = asyncio.create_task(bench.worker.run(bench.stop))
    await until(lambda: bench.videos.begun == 2)
    for _ in range(100):
        await asyncio.sleep(0)
    # A third one was read before the second said that it is a video.
    assert bench.videos.begun <= 3
    assert len(bench.intake.waiting) >= 2
    bench.videos.gate.set()
    await until(lambda: len(bench.log.answers) == 5)
    bench.stop.set()
    await running


async def test_a_refused_video_is_answered_and_its_diagnosis_stays_out_of_the_log_of_events() -> None:
    bench = Bench(request(7, content_type="video/mp4"))
    bench.videos.gate.set()
    bench.videos.refusal = UnprocessableMedia(Reason.DAMAGED_VIDEO, "what ffmpeg said")
    await bench.run_until(lambda: len(bench.log.answers) == 1)
    (answer,) = bench.log.answers
    assert isinstance(answer, MediaTranscodingFailed)
    assert answer.reason == "damaged-video"
    assert b"what ffmpeg said" not in bench.log.records[0].value


async def test_a_video_that_is_not_done_when_the_worker_must_go_is_given_up_and_left_uncommitted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "DRAIN_SECONDS", 0.05)
    bench = Bench(request(7, content_type="video/mp4"))
    await bench.run_until(lambda: bench.videos.begun == 1)
    await until(lambda: bench.videos.cancelled == 1)
    assert (bench.committable(), bench.log.records) == (0, [])


async def test_what_a_program_failed_at_is_refused_and_put_aside_with_what_it_said() -> None:
    bench = Bench(request(1, content_type="video/mp4"), request(2, content_type="video/mp4"))
    bench.videos.refusal = UnprocessableMedia(Reason.DAMAGED_VIDEO, "moov atom not found")
    bench.videos.gate.set()
    await bench.run_until(lambda: len(bench.log.answers) == 2)
    letters = [record for record in bench.log.records if record.topic == MEDIA_REQUESTED.dead_letters]
    assert [dict(letter.headers)["dead_reason"] for letter in letters] == [
        b"failed: damaged-video: moov atom not found"
    ] * 2
    assert {answer.reason for answer in bench.log.answers} == {"damaged-video"}


async def test_what_is_refused_by_rule_is_no_letter() -> None:
    bench = Bench(request(1, content_type="video/mp4"))
    bench.videos.refusal = UnprocessableMedia(Reason.TOO_LONG, "61.2 s")
    bench.videos.gate.set()
    await bench.run_until(lambda: len(bench.log.answers) == 1)
    assert len(bench.log.records) == 1


@pytest.mark.parametrize("poison", [None, PostLiked(actor_id=1, post_id=2)], ids=["bytes", "another event"])
async def test_poison_goes_aside_and_the_next_request_is_answered(poison: Event | None) -> None:
    bench = Bench(poison, request(2))
    await bench.run_until(lambda: len(bench.log.answers) == 1 and len(bench.log.records) == 2)
    letter = next(record for record in bench.log.records if record.topic == MEDIA_REQUESTED.dead_letters)
    headers = dict(letter.headers)
    assert headers["dead_reason"].startswith(b"undecodable: ")
    assert (headers["dead_projection"], headers["dead_offset"]) == (b"transcode", b"0")
    assert bench.committable() == 2


async def test_stopping_finishes_what_was_begun_and_begins_nothing_more() -> None:
    bench = Bench(request(1), request(2), photographs_max=1)
    gate = bench.variants.gates[b"1"] = asyncio.Event()
    running = asyncio.create_task(bench.worker.run(bench.stop))
    await until(lambda: bench.variants.at_once == 1)
    bench.stop.set()
    await asyncio.sleep(0.05)
    gate.set()
    await running
    assert [answer.media_id for answer in bench.log.answers] == [1]
    assert (bench.committable(), bench.intake.closed) == (1, True)


async def test_a_defect_ends_the_worker_and_commits_nothing_behind_it() -> None:
    bench = Bench(request(1), request(2))
    bench.variants.refusals[b"1"] = KeyError("a defect")  # type: ignore[assignment]
    with pytest.raises(KeyError, match="a defect"):
        await bench.run_until(lambda: False)
    assert (bench.committable(), bench.intake.closed) == (0, True)


def test_only_what_has_everything_before_it_finished_is_committed() -> None:
    progress = Progress()
    for offset in (5, 6, 7):
        progress.begin(PLACE, offset)
    found = [progress.committable()[PLACE]]
    for offset in (6, 5, 7):
        progress.finish(PLACE, offset)
        found.append(progress.committable()[PLACE])
    assert found == [5, 5, 7, 8]


def test_a_partition_that_went_to_another_worker_is_forgotten() -> None:
    progress = Progress()
    progress.begin(PLACE, 5)
    progress.forget([PLACE])
    progress.finish(PLACE, 5)
    assert progress.committable() == {}
