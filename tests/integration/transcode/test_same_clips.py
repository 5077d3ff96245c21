"""Which videos are taken for the same: those wrapped or encoded again with their sound as it was, and no others."""

import asyncio
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tests.integration.transcode.video_files import make_into
from tests.unit.transcode.clips import FAST, made, remuxed
from tests.unit.transcode.fingerprints.photographs import photograph, saved
from transcode.clip_prints import ClipPrints, same_clip
from transcode.fingerprints.clips import near_clips

SECONDS = 4
# A walk over a real photograph, so that every second looks different.
WALK = f"crop=480:270:x='t*{480 // SECONDS}':y='t*20',fps=30"


def walk(*options: str, filters: str = "", tone: int = 440) -> bytes:
    """A film of a real photograph, with a tone."""
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "picture.jpeg"
        picture.write_bytes(saved(photograph("coffee.png")))
        still = ("-loop", "1", "-framerate", "30", "-t", str(SECONDS), "-i", str(picture))
        sound = ("-f", "lavfi", "-i", f"sine=frequency={tone}:sample_rate=48000:duration={SECONDS}")
        chain = WALK + (f",{filters}" if filters else "")
        return made(*still, *sound, "-vf", chain, *FAST, "-crf", "18", *options)


@cache
def original() -> bytes:
    return walk()


def encoded_again(*options: str) -> bytes:
    return made("-i", "{source}", *FAST, "-c:a", "copy", *options, source=original())


async def prints(data: bytes, folder: Path) -> ClipPrints:
    await asyncio.to_thread(folder.mkdir)
    made_video = await make_into(folder, data)
    return made_video.prints


async def test_a_video_wrapped_or_encoded_again_is_the_same(tmp_path: Path) -> None:
    first = await prints(original(), tmp_path / "first")
    assert len(first.clip.frames) == SECONDS
    for number, again in enumerate((remuxed(original(), "-metadata", "title=mine"), encoded_again("-crf", "20"))):
        assert again != original()
        assert same_clip(first, await prints(again, tmp_path / str(number)))


@pytest.mark.parametrize(
    ("change", "near"),
    [("dubbed", True), ("marked", True), ("cut", False), ("mirrored", False)],
)
async def test_a_video_that_was_changed_is_another(tmp_path: Path, change: str, near: bool) -> None:
    first = await prints(original(), tmp_path / "first")
    mark = "drawbox=x=420:y=15:w=38:h=18:color=white:t=fill"
    other = {
        "dubbed": lambda: walk(tone=300),
        "marked": lambda: encoded_again("-crf", "18", "-vf", mark),
        "cut": lambda: remuxed(original(), "-t", "3"),
        "mirrored": lambda: encoded_again("-crf", "18", "-vf", "hflip"),
    }[change]()
    found = await prints(other, tmp_path / "other")
    assert near_clips(first.clip, found.clip) == near
    assert not same_clip(first, found)
