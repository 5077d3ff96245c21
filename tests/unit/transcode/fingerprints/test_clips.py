"""Videos from generated frames: encoded again they are near, cut or changed they are not."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.unit.transcode.fingerprints.photographs import photograph, saved
from transcode.fingerprints.clips import FRAMES_MAX, ClipPrint, keys, near_clips, sample_times_ms
from transcode.fingerprints.phash import phash_of_pixels

Frame = NDArray[np.uint8]
SECONDS = 12
SCENES = ("astronaut.png", "coffee.png", "rocket.jpg", "chelsea.png")


def clip() -> list[Frame]:
    """Four scenes of three seconds each; in each the camera pans."""
    return [panned(SCENES[second // 3], second % 3) for second in range(SECONDS)]


def panned(name: str, step: int) -> Frame:
    picture = photograph(name, 640)
    return np.asarray(picture.crop((40 * step, 0, 480 + 40 * step, 270)))


def printed(frames: list[Frame], duration_ms: int = SECONDS * 1000) -> ClipPrint:
    return ClipPrint(duration_ms, tuple(phash_of_pixels(frame) for frame in frames))


def encoded_again(frame: Frame) -> Frame:
    small = Image.fromarray(frame).resize((320, 180))
    return np.asarray(Image.open(io.BytesIO(saved(small, quality=50))))


def mirrored(frame: Frame) -> Frame:
    return frame[:, ::-1]


def test_a_video_encoded_again_is_near() -> None:
    again = printed([encoded_again(frame) for frame in clip()], SECONDS * 1000 + 400)
    assert near_clips(printed(clip()), again)
    assert near_clips(again, printed(clip()))


def test_one_bad_frame_of_twelve_is_forgiven_and_two_are_not() -> None:
    frames = clip()
    frames[5] = mirrored(frames[5])
    assert near_clips(printed(clip()), printed(frames))
    frames[8] = mirrored(frames[8])
    assert not near_clips(printed(clip()), printed(frames))


CHANGES: dict[str, Callable[[list[Frame]], ClipPrint]] = {
    "mirrored": lambda frames: printed([mirrored(frame) for frame in frames]),
    "begins later": lambda frames: printed(frames[3:] + frames[:3]),
    "another ending": lambda frames: printed(frames[:9] + frames[:3]),
    "a second less": lambda frames: printed(frames[:-1], 11_000),
    "the same frames, a second longer": lambda frames: printed(frames, 13_000),
    "only its beginning": lambda frames: printed(frames[:3], 3_000),
    "backwards": lambda frames: printed(frames[::-1]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_video_that_was_changed_is_another(change: Callable[[list[Frame]], ClipPrint]) -> None:
    assert not near_clips(printed(clip()), change(clip()))


def test_a_still_picture_with_sound_is_near_nothing() -> None:
    still = printed([panned("coffee.png", 0)] * SECONDS)
    assert not near_clips(still, still)


def test_a_video_of_a_moment_is_near_nothing() -> None:
    short = printed(clip()[2:4], 1_800)
    assert not near_clips(short, short)


def test_scenes_are_what_is_looked_up() -> None:
    found = printed(clip())
    assert set(keys(found)) <= set(found.frames)
    assert len(keys(found)) >= len(SCENES)
    assert keys(ClipPrint(0, ())) == []


@pytest.mark.parametrize(
    ("duration_ms", "times"),
    [(0, []), (1, [0]), (1_000, [0]), (2_500, [0, 1_000, 2_000]), (10**9, [*range(0, 90_000, 1_000)])],
)
def test_a_frame_is_taken_each_second_up_to_the_bound(duration_ms: int, times: list[int]) -> None:
    assert list(sample_times_ms(duration_ms)) == times


@pytest.mark.parametrize("frames", [(0,) * (FRAMES_MAX + 1), (-1,), (2**64,)])
def test_what_is_no_fingerprint_of_a_video_is_refused(frames: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="fingerprint"):
        ClipPrint(1_000, frames)
