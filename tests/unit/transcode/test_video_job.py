"""A video's way from the bucket and back, over fakes: in pieces, whole, and never over another set of files."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from photolog.errors import StoreUnavailable
from schemas.events import MediaTranscodingCompleted, MediaTranscodingRequested
from tests.unit.transcode.test_ladder import footage
from tests.unit.transcode.test_worker import ALONE, FakeObjects, request
from transcode import made_files
from transcode.clip_prints import ClipPrints
from transcode.encoding import SOURCE
from transcode.errors import Reason, UnprocessableMedia
from transcode.fingerprints.clips import ClipPrint
from transcode.footage import VideoLimits
from transcode.ladder import ladder
from transcode.made_files import MadeFile
from transcode.made_video import MadeVideo
from transcode.video_job import VideoJob

PRINTS = ClipPrints(ClipPrint(2_000, (5, 2**63 + 9)), (b"thumbprint",), "SHA256=00")


class FakeMaker:
    """Makes two files, whose bytes say which attempt it was."""

    def __init__(self) -> None:
        self.limits = VideoLimits(bytes_max=25)
        self.seen: list[tuple[bytes, float]] = []
        self.attempt = b"first"

    @asynccontextmanager
    async def folder(self) -> AsyncIterator[Path]:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)

    async def make(self, folder: Path, seconds_max: float) -> MadeVideo:
        self.seen.append(((folder / SOURCE).read_bytes(), seconds_max))
        files = []
        for name in ("h264-96.mp4", "master.m3u8"):
            path = folder / name
            path.write_bytes(self.attempt + name.encode())
            files.append(MadeFile(name, "video/mp4", path, 96, 64, path.stat().st_size))
        return MadeVideo(ladder(footage(96, 64, seconds=2.0)), tuple(files), PRINTS)


class Desk:
    def __init__(self) -> None:
        self.objects = FakeObjects()
        self.maker = FakeMaker()
        self.job = VideoJob(self.objects, self.maker, ALONE)
        self.objects.held["raw/7"] = b"twenty bytes of video"

    async def ask(self, **changes: str) -> MediaTranscodingCompleted:
        told = {"content_type": "video/mp4", **changes}
        asked = request(7)
        return await self.job.completed(
            MediaTranscodingRequested(
                media_id=asked.media_id,
                owner_id=asked.owner_id,
                object_key=asked.object_key,
                size_bytes=asked.size_bytes,
                **told,  # type: ignore[arg-type]
            )
        )


async def test_a_video_comes_in_pieces_and_its_files_go_where_the_answer_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made_files, "PIECE_BYTES", 8)
    desk = Desk()
    answer = await desk.ask()
    assert desk.maker.seen == [(b"twenty bytes of video", 60.0)]
    assert (answer.kind, answer.duration_ms, answer.width, answer.height) == ("video", 2_000, 96, 64)
    assert [variant.name for variant in answer.variants] == ["h264-96.mp4", "master.m3u8"]
    for variant in answer.variants:
        assert desk.objects.held[variant.object_key] == b"first" + variant.name.encode()
        assert variant.object_key.startswith("processed/7/")
        assert variant.size_bytes == len(desk.objects.held[variant.object_key])


async def test_an_attempt_with_other_bytes_overwrites_nothing_and_one_with_the_same_adds_nothing() -> None:
    desk = Desk()
    first, again = await desk.ask(), await desk.ask()
    assert first == again
    desk.maker.attempt = b"second"
    other = await desk.ask()
    assert {one.object_key for one in first.variants}.isdisjoint(one.object_key for one in other.variants)
    assert all(desk.objects.held[one.object_key].startswith(b"first") for one in first.variants)


@pytest.mark.parametrize(("purpose", "seconds"), [("post", 60.0), ("reel", 90.0), ("story", 15.0)])
async def test_how_long_it_may_be_is_what_it_is_for(purpose: str, seconds: float) -> None:
    desk = Desk()
    await desk.ask(purpose=purpose)
    assert desk.maker.seen[0][1] == seconds


async def test_as_many_bytes_as_there_may_be_are_fetched() -> None:
    desk = Desk()
    desk.objects.held["raw/7"] = bytes(25)
    await desk.ask()
    assert desk.maker.seen[0][0] == bytes(25)


@pytest.mark.parametrize("spoilt", ["gone", "gone in between", "too large"])
async def test_what_cannot_be_fetched_has_its_reason_and_is_not_looked_at(spoilt: str) -> None:
    desk = Desk()
    if spoilt == "gone":
        desk.objects.held.clear()
    desk.objects.gone_after_head = spoilt == "gone in between"
    if spoilt == "too large":
        desk.objects.held["raw/7"] = bytes(26)
    with pytest.raises(UnprocessableMedia) as refusal:
        await desk.ask()
    assert refusal.value.reason is (Reason.TOO_MANY_BYTES if spoilt == "too large" else Reason.MISSING)
    assert desk.maker.seen == []


async def test_a_bucket_that_is_away_is_not_the_videos_fault() -> None:
    desk = Desk()
    desk.objects.away = 1
    with pytest.raises(StoreUnavailable):
        await desk.ask()
