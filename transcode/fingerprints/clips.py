"""Whether two videos are nearly the same: their frames' fingerprints, one for each second, held against each other.

Near is not the same here either: two videos that are near may be linked only where their lengths agree and their frames
agree second by second. A clip out of a longer one, a video that begins elsewhere, or one with another ending is another
video. So is a still one: its frames tell nothing of its sound and little of its pictures.
"""

from collections.abc import Sequence

import msgspec

from transcode.fingerprints.phash import BITS, NEAR_BITS, distance

FRAMES_MAX = 90
"""Frames that are sampled of a video: of a longer one, the first so many seconds."""

FRAME_MS = 1_000
_DURATION_OFF_MS_MAX = 500
_NEAR_PERCENT_MIN = 90
_FRAMES_MIN = 3
# A title on black and its fades look alike in many videos: this many frames must differ from their neighbours.
_MOVING_FRAMES_MIN = 2


class ClipPrint(msgspec.Struct, frozen=True):
    """A video's fingerprint.

    Args:
        duration_ms: milliseconds of the whole video.
        frames: the fingerprint of the frame at each full second, from the start, at most `FRAMES_MAX`; 64 bits each,
            unsigned.

    Raises:
        ValueError: there are more frames than that, or one is no fingerprint.
    """

    duration_ms: int
    frames: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.frames) > FRAMES_MAX:
            raise ValueError(f"a video's fingerprint has at most {FRAMES_MAX} frames, not {len(self.frames)}")
        if not all(0 <= frame < 1 << BITS for frame in self.frames):
            raise ValueError(f"a frame's fingerprint is {BITS} bits, unsigned")


def sample_times_ms(duration_ms: int) -> range:
    """When frames are to be taken of a video, in milliseconds from its start: each full second, `FRAMES_MAX` at most.

    A video shorter than a second has one frame, its first; one without a length none.
    """
    return range(0, min(duration_ms, FRAMES_MAX * FRAME_MS), FRAME_MS)


def keys(clip: ClipPrint) -> Sequence[int]:
    """The frames to look up in the index of fingerprints: those that differ from the one before.

    Whatever is nearly the same shares one of them, in the index's sense of near, if not the very first.
    """
    frames = clip.frames
    return [frame for at, frame in enumerate(frames) if at == 0 or distance(frame, frames[at - 1]) >= NEAR_BITS]


def near_clips(one: ClipPrint, other: ClipPrint) -> bool:
    """Whether two videos are nearly the same.

    Their lengths differ by half a second at most, of their frames nine in ten are near the other's at the same second
    (one in ten may fall on a cut, where one encoder still shows what another does no more), and there is something to
    see that moves.
    """
    count = min(len(one.frames), len(other.frames))
    if abs(one.duration_ms - other.duration_ms) > _DURATION_OFF_MS_MAX or count < _FRAMES_MIN:
        return False
    if min(len(keys(one)), len(keys(other))) < _MOVING_FRAMES_MIN:
        return False
    near = sum(distance(*pair) < NEAR_BITS for pair in zip(one.frames, other.frames, strict=False))
    # Of the longer of the two, so that a frame that only one has counts against them.
    return near * 100 >= _NEAR_PERCENT_MIN * max(len(one.frames), len(other.frames))
