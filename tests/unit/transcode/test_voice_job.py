"""A voice note's way from the bucket and back, over fakes."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from photolog.errors import StoreUnavailable
from schemas.events import MediaTranscodingCompleted, MediaTranscodingRequested
from tests.unit.transcode.test_worker import ALONE, FakeObjects
from transcode.encoding import SOURCE
from transcode.errors import Reason, UnprocessableMedia
from transcode.made_files import MadeFile
from transcode.recording import VoiceLimits
from transcode.sniff_sound import SoundType
from transcode.voice import MadeVoice
from transcode.voice_job import VoiceJob

BYTES = b"twenty bytes of sound"


class FakeMaker:
    """Makes one file, whose bytes say which attempt it was."""

    def __init__(self) -> None:
        self.limits = VoiceLimits(bytes_max=len(BYTES))
        self.seen: list[tuple[bytes, SoundType]] = []
        self.attempt = b"first"

    @asynccontextmanager
    async def folder(self) -> AsyncIterator[Path]:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)

    async def make(self, folder: Path, kind: SoundType) -> MadeVoice:
        self.seen.append(((folder / SOURCE).read_bytes(), kind))
        path = folder / "voice.m4a"
        path.write_bytes(self.attempt)
        return MadeVoice(3_000, (MadeFile("voice.m4a", "audio/mp4", path, 0, 0, len(self.attempt)),))


class Desk:
    def __init__(self, data: bytes = BYTES) -> None:
        self.objects = FakeObjects()
        self.maker = FakeMaker()
        self.objects.held["raw/7"] = data

    async def ask(self, content_type: str = "audio/ogg", sha256: str | None = None) -> MediaTranscodingCompleted:
        asked = MediaTranscodingRequested(
            media_id=7,
            owner_id=1,
            object_key="raw/7",
            content_type=content_type,
            size_bytes=len(BYTES),
            purpose="voice",
            sha256=sha256,
        )
        return await VoiceJob(self.objects, self.maker, ALONE).completed(asked)


async def test_a_voice_note_is_answered_once_its_files_are_where_the_answer_says() -> None:
    desk = Desk()
    answer = await desk.ask()
    assert desk.maker.seen == [(BYTES, SoundType.OGG)]
    assert (answer.kind, answer.purpose, answer.duration_ms, answer.width) == ("voice", "voice", 3_000, 0)
    (variant,) = answer.variants
    assert (variant.name, variant.content_type, variant.size_bytes) == ("voice.m4a", "audio/mp4", 5)
    assert variant.object_key.startswith("processed/7/")
    assert desk.objects.held[variant.object_key] == b"first"


async def test_another_attempt_overwrites_nothing_that_was_named() -> None:
    desk = Desk()
    first = await desk.ask()
    desk.maker.attempt = b"second"
    assert (await desk.ask()).variants[0].object_key != first.variants[0].object_key
    assert desk.objects.held[first.variants[0].object_key] == b"first"


@pytest.mark.parametrize(
    ("data", "asked", "reason"),
    [
        (BYTES + b"!", {}, Reason.TOO_MANY_BYTES),
        (BYTES, {"content_type": "image/jpeg"}, Reason.NOT_AUDIO),
        (BYTES, {"sha256": "0" * 64}, Reason.CHANGED),
    ],
)
async def test_what_is_not_what_it_was_said_to_be_is_not_looked_at(
    data: bytes, asked: dict[str, str], reason: Reason
) -> None:
    desk = Desk(data)
    with pytest.raises(UnprocessableMedia) as refusal:
        await desk.ask(**asked)
    assert (refusal.value.reason, desk.maker.seen) == (reason, [])


async def test_a_bucket_that_is_away_is_not_the_voice_notes_fault() -> None:
    desk = Desk()
    desk.objects.away = 1
    with pytest.raises(StoreUnavailable):
        await desk.ask()
