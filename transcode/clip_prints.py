"""What is taken of a video while it is encoded, so that it is recognised: small pictures of it, and its sound.

What is kept: a hash of each picture, thumbprints of a few, and the digest of the sound as it is in the file. Nobody can
tell by pictures that a voice says something else, so two videos are the same only where their sound is, to the byte:
one that was wrapped anew, or whose pictures were encoded again. One that was dubbed is another.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyvips
from numpy.typing import NDArray

from transcode.errors import Reason, UnprocessableMedia
from transcode.fingerprints.clips import FRAMES_MAX, ClipPrint, near_clips
from transcode.fingerprints.phash import phash_of_pixels
from transcode.fingerprints.same_picture import same_picture
from transcode.fingerprints.thumbprint import Thumbprint
from transcode.ladder import SAMPLE_PX, SAMPLES, SOUND_DIGEST, Ladder

THUMBPRINTS_MAX = 8
"""Pictures of a video that are held against another one's pixel by pixel, from its beginning to its end."""

_FRAME_BYTES = SAMPLE_PX * SAMPLE_PX * 3
_DIGEST_BYTES_MAX = 128
_DURATION_OFF_MS_MAX = 100
_encode = msgspec.msgpack.Encoder().encode


class ClipPrints(msgspec.Struct, frozen=True):
    """A video's prints.

    Args:
        clip: the hashes of its pictures.
        thumbprints: of some of them, `Thumbprint.packed`.
        sound: the digest of its sound; empty where it has none.
    """

    clip: ClipPrint
    thumbprints: tuple[bytes, ...]
    sound: str

    def packed(self) -> bytes:
        """As they are stored."""
        return _encode(self)

    @classmethod
    def unpacked(cls, stored: bytes) -> "ClipPrints":
        """What was stored. Raises msgspec.DecodeError where that is something else."""
        return msgspec.msgpack.decode(stored, type=cls)


def read_prints(folder: Path, plan: Ladder) -> ClipPrints:
    """The prints of a video that was encoded in a folder.

    Raises:
        UnprocessableMedia: its pictures or its sound are not there.
    """
    path = folder / SAMPLES
    size = path.stat().st_size if path.is_file() and not path.is_symlink() else 0
    if not 0 < size <= FRAMES_MAX * _FRAME_BYTES or size % _FRAME_BYTES:
        raise UnprocessableMedia(Reason.DAMAGED_VIDEO, f"{size} bytes of samples")
    frames = np.fromfile(path, np.uint8).reshape(-1, SAMPLE_PX, SAMPLE_PX, 3)
    thumbprints = tuple(_thumbprint(frames[at], plan) for at in _spread(len(frames)))
    clip = ClipPrint(round(plan.seconds * 1_000), tuple(map(phash_of_pixels, frames)))
    return ClipPrints(clip, thumbprints, _digest_of_sound(folder) if plan.has_audio else "")


def same_clip(one: ClipPrints, other: ClipPrints) -> bool:
    """Whether two videos look and sound the same. When in doubt they are different."""
    if one.sound != other.sound or len(one.thumbprints) != len(other.thumbprints):
        return False
    off_ms = abs(one.clip.duration_ms - other.clip.duration_ms)
    if off_ms > _DURATION_OFF_MS_MAX or not near_clips(one.clip, other.clip):
        return False
    pairs = zip(one.thumbprints, other.thumbprints, strict=True)
    return all(same_picture(Thumbprint.unpacked(first), Thumbprint.unpacked(second)) for first, second in pairs)


def _spread(count: int) -> Sequence[int]:
    """Which of so many pictures are kept: the first, the last, and some between."""
    if count <= THUMBPRINTS_MAX:
        return range(count)
    return [round(at * (count - 1) / (THUMBPRINTS_MAX - 1)) for at in range(THUMBPRINTS_MAX)]


def _thumbprint(frame: NDArray[np.uint8], plan: Ladder) -> bytes:
    image = pyvips.Image.new_from_memory(frame.tobytes(), SAMPLE_PX, SAMPLE_PX, 3, "uchar")
    return Thumbprint.of(image.copy(interpretation="srgb"), plan.width, plan.height).packed()


def _digest_of_sound(folder: Path) -> str:
    path = folder / SOUND_DIGEST
    if not path.is_file() or path.is_symlink() or path.stat().st_size > _DIGEST_BYTES_MAX:
        raise UnprocessableMedia(Reason.DAMAGED_VIDEO, "no digest of its sound")
    return path.read_text().strip()
