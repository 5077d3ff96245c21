"""Uploads of the same bytes through the job: one is made, all are answered, each under its own number."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from photolog.media.originals import content_prefix, original_key
from projections.media import MEDIA
from projections.stores.memory_rows import MemoryRows
from projections.writes import Positioned, put
from schemas.events import MediaTranscodingCompleted, MediaTranscodingFailed, MediaTranscodingRequested
from tests.unit.projections.test_media import COMPLETED, photograph
from tests.unit.transcode.test_worker import CONTENT_KEY, FakeObjects, FakeVariants, FakeVideos, request
from transcode import sharing
from transcode.contents.holding import Contents
from transcode.contents.memory import MemoryContents
from transcode.contents.port import Base, Content, ContentRow
from transcode.errors import Reason, UnprocessableMedia
from transcode.job import TranscodeJob
from transcode.plan import Made
from transcode.sharing import Sharing


class SharedObjects(FakeObjects):
    """A bucket that copies and lists."""

    async def copy(self, key: str, to_key: str) -> None:
        self.held[to_key] = self.held[key]

    async def keys(self, prefix: str) -> Any:
        yield [key for key in self.held if key.startswith(prefix)]

    async def delete(self, key: str) -> None:
        self.held.pop(key, None)


class FakeNear:
    """Says that a photograph is nearly another one, where it is told so."""

    def __init__(self) -> None:
        self.found: tuple[Base, Content] | None = None
        self.asked: list[int] = []

    async def photograph(self, made: Made, content: ContentRow) -> tuple[Base, Content] | None:
        self.asked.append(content.content_id)
        return self.found


class Desk:
    """Several workers over one bucket."""

    def __init__(self) -> None:
        self.objects, self.store, self.rows = SharedObjects(), MemoryContents(), MemoryRows()
        self.variants, self.near = FakeVariants(), FakeNear()
        self.contents = Contents(self.store, self.objects)

    def job(self) -> TranscodeJob:
        shared = Sharing(self.contents, CONTENT_KEY)
        others = FakeVideos()
        return TranscodeJob(self.objects, self.variants, others, others, shared, self.near, self.rows, bytes_max=100)

    async def answers(self, *requests: MediaTranscodingRequested) -> Sequence[Any]:
        outcomes = await asyncio.gather(*(self.job().answer(one) for one in requests))
        return [outcome and outcome.event for outcome in outcomes]

    def upload(self, media_id: int, data: bytes, **changes: Any) -> MediaTranscodingRequested:
        asked = msgspec.structs.replace(request(media_id), **changes)
        self.objects.held[asked.object_key] = data
        return asked


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "_ASK_SECONDS", 0.001)


async def test_uploads_of_the_same_bytes_that_race_are_stored_once() -> None:
    desk = Desk()
    uploads = [desk.upload(media_id, b"same", owner_id=media_id) for media_id in range(1, 6)]
    answers = await desk.answers(*uploads)
    assert desk.variants.most_at_once == 1
    (content_id,) = {answer.content_id for answer in answers}
    assert [(answer.media_id, answer.owner_id) for answer in answers] == [(number, number) for number in range(1, 6)]
    assert len({tuple(file.object_key for file in answer.variants) for answer in answers}) == 1
    stored = {key for key in desk.objects.held if not key.startswith("raw/")}
    assert {original_key(content_id)} == {key for key in stored if not key.startswith(content_prefix(content_id))}
    assert desk.store.rows[answers[0].digest].holders == 5


async def test_another_file_is_another_content() -> None:
    desk = Desk()
    one, other = await desk.answers(desk.upload(1, b"one"), desk.upload(2, b"two"))
    assert (one.content_id, other.content_id) == (1, 2)
    assert one.digest != other.digest
    assert desk.near.asked == [1, 2]


async def test_asked_again_it_answers_the_same_and_makes_nothing() -> None:
    desk = Desk()
    asked = desk.upload(1, b"one")
    first = await desk.answers(asked)
    again = await desk.answers(asked)
    assert first == again
    assert desk.near.asked == [1]


async def test_a_file_that_is_refused_is_refused_for_all_and_claimed_by_nobody() -> None:
    desk = Desk()
    desk.variants.refusals[b"bad"] = UnprocessableMedia(Reason.NOT_AN_IMAGE)
    answers = await desk.answers(*(desk.upload(number, b"bad") for number in (1, 2, 3)))
    assert [type(answer) for answer in answers] == [MediaTranscodingFailed] * 3
    assert desk.store.rows == {}


async def test_what_was_declared_as_something_else_is_made_apart() -> None:
    desk = Desk()
    first, other = desk.upload(1, b"same"), desk.upload(2, b"same", content_type="image/png")
    await desk.answers(first)
    (answer,) = await desk.answers(other)
    assert answer.content_id == 0
    assert all(file.object_key.startswith(content_prefix(2)) for file in answer.variants)


def test_a_video_that_is_too_long_for_what_it_is_for_shares_nothing() -> None:
    answer = MediaTranscodingCompleted(
        media_id=1, owner_id=1, width=9, height=9, variants=[], kind="video", duration_ms=20_000
    )
    content = Content(content_type="video/mp4", answer=answer)
    fits = {
        purpose: sharing.may_share(
            content, msgspec.structs.replace(request(2, content_type="video/mp4"), purpose=purpose)
        )
        for purpose in ("post", "reel", "story")
    }
    assert fits == {"post": True, "reel": True, "story": False}


async def test_what_is_nearly_another_keeps_its_original_and_shows_the_others_files() -> None:
    desk = Desk()
    (first,) = await desk.answers(desk.upload(1, b"one"))
    base = Base(first.digest, 1)
    desk.near.found = base, Content(content_type="image/jpeg", answer=first)
    near, same = await desk.answers(desk.upload(2, b"two"), desk.upload(3, b"two"))
    assert near.variants == same.variants == first.variants
    assert near.content_id == same.content_id != first.content_id
    content = desk.store.rows[near.digest].content
    assert content is not None
    assert content.base == base
    kept = {key for key in desk.objects.held if not key.startswith(("raw/", content_prefix(1)))}
    assert kept == {original_key(1), original_key(near.content_id)}


async def test_an_upload_that_is_gone_since_it_was_answered_is_not_answered_again() -> None:
    desk = Desk()
    asked = request(1)
    (answer,) = await desk.answers(asked)
    assert isinstance(answer, MediaTranscodingFailed)
    row = photograph(COMPLETED)
    assert row is not None
    row = msgspec.structs.replace(row, media_id=1)
    await desk.rows.apply([[Positioned(put(MEDIA, row), 0)]])
    assert await desk.answers(asked) == [None]


async def test_whoever_makes_it_says_so_until_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "_RENEW_SECONDS", 0.001)
    desk = Desk()
    gate = desk.variants.gates[b"slow"] = asyncio.Event()
    running = asyncio.create_task(desk.job().answer(desk.upload(1, b"slow")))
    versions: set[int] = set()
    async with asyncio.timeout(10):
        while len(versions) < 4:
            await asyncio.sleep(0.001)
            versions |= {row.version for row in desk.store.rows.values()}
    gate.set()
    outcome = await running
    assert outcome is not None
    assert isinstance(outcome.event, MediaTranscodingCompleted)
