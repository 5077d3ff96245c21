"""Which files are made of a video: pure, from what a look into it found.

A rung is named by the *shorter* side, as people name it: 720p is 1280 × 720, and 720 × 1280 upright. Nothing is scaled
up; a video smaller than the lowest rung has one rung of its own size. Each rung is there in H.264, which everything
plays, and in AV1, in about half the bytes for whoever can. Sound is a rendition of its own, encoded once.
"""

from enum import StrEnum
from fractions import Fraction
from itertools import chain

import msgspec

from transcode.footage import Footage

RUNGS_PX = (1080, 720, 360)
SEGMENT_SECONDS = 4
KEYFRAME_SECONDS = 2
AUDIO = "audio"
AUDIO_CODEC = "mp4a.40.2"
AUDIO_KBPS = 128
AUDIO_HZ = 48_000
MASTER, POSTER, PREVIEW = "master.m3u8", "poster.jpeg", "preview.gif"
PREVIEW_FRAMES = 3
SAMPLES = "samples.rgb"
"""Small pictures of the video, one for each second, that are kept as fingerprints only."""
SAMPLE_PX = 128
SOUND_DIGEST = "sound.hash"
_PREVIEW_SIDE = 180

# What cameras and films use. Frames beyond 30 a second would double the work and the bytes.
_RATES = tuple(
    Fraction(*rate) for rate in ((10, 1), (12, 1), (15, 1), (24_000, 1001), (24, 1), (25, 1), (30_000, 1001))
)
_RATE_MAX = Fraction(30)
# A recording of 30 frames a second that lost one now and then is no recording of 25.
_RATE_TOLERANCE = 0.99
# 30 and 29.97 are a thousandth apart.
_RATE_ROUNDING = 0.0004


class VideoCodec(StrEnum):
    """How pictures are encoded; the value is the first part of a rendition's name."""

    H264 = "h264"
    AV1 = "av1"


# The quality (CRF) that is aimed at, and the bits that a second may take at most, by the shorter side.
_CRF = {VideoCodec.H264: 23, VideoCodec.AV1: 35}
_KBPS_MAX = {VideoCodec.H264: {1080: 5_000, 720: 2_800, 360: 900}, VideoCodec.AV1: {1080: 3_000, 720: 1_700, 360: 550}}

# ITU-T H.264 table A-1: the level's number, macroblocks a second, macroblocks a frame. Below 3.0 nothing is gained.
_H264_LEVELS = ((30, 40_500, 1_620), (31, 108_000, 3_600), (32, 216_000, 5_120), (40, 245_760, 8_192))
_H264_LEVEL_BEYOND = 51
# AV1 annex A.3: the level's number, samples a frame, samples shown a second.
_AV1_LEVELS = (
    (0, 147_456, 4_423_680),
    (1, 278_784, 8_363_520),
    (4, 665_856, 19_975_680),
    (5, 1_065_024, 31_950_720),
    (8, 2_359_296, 70_778_880),
)
_AV1_LEVEL_BEYOND = 12


class Rendition(msgspec.Struct, frozen=True):
    """One encoding of the pictures; its file is `{name}.mp4` and its playlist `{name}.m3u8`."""

    name: str
    codec: VideoCodec
    width: int
    height: int
    crf: int
    kbps_max: int
    level: int
    """as the codec numbers its levels"""

    @property
    def codec_string(self) -> str:
        """What RFC 6381 and the AV1 ISO binding call it."""
        return f"avc1.6400{self.level:02x}" if self.codec is VideoCodec.H264 else f"av01.0.{self.level:02}M.08"


class Ladder(msgspec.Struct, frozen=True):
    """Everything that is made of a video.

    Args:
        width: of the source as shown, as `height`.
        rate: frames a second of all renditions, numerator and denominator; the same distance between any two.
        frames: of each rendition.
        sizes: width and height of each rung, largest first.
        renditions: H.264's from the largest down, then AV1's.
        has_audio: whether there is a rendition of sound.
        preview_size: of the animation.
    """

    width: int
    height: int
    rate: tuple[int, int]
    frames: int
    sizes: tuple[tuple[int, int], ...]
    renditions: tuple[Rendition, ...]
    has_audio: bool
    preview_size: tuple[int, int]

    @property
    def fps(self) -> Fraction:
        """Frames a second."""
        return Fraction(*self.rate)

    @property
    def seconds(self) -> float:
        """How long every rendition is."""
        return float(self.frames / self.fps)

    @property
    def keyframe_frames(self) -> int:
        """Frames from one key frame to the next, in every rendition the same, so that players may change between."""
        return round(KEYFRAME_SECONDS * self.fps)

    @property
    def streams(self) -> tuple[str, ...]:
        """The names of everything that is cut into segments."""
        return (*(rendition.name for rendition in self.renditions), *((AUDIO,) if self.has_audio else ()))


def ladder(footage: Footage) -> Ladder:
    """The plan for a video that was judged to be one that we take."""
    rate = _rate(footage)
    frames = max(1, round(footage.seconds * rate))
    shorter = min(footage.width, footage.height)
    rungs = [rung for rung in RUNGS_PX if rung <= shorter] or [_even(shorter)]
    sizes = tuple(_size(footage, rung) for rung in rungs)
    return Ladder(
        width=footage.width,
        height=footage.height,
        rate=(rate.numerator, rate.denominator),
        frames=frames,
        sizes=sizes,
        renditions=tuple(
            _rendition(codec, rung, size, rate) for codec in VideoCodec for rung, size in zip(rungs, sizes, strict=True)
        ),
        has_audio=footage.audio_codec is not None,
        preview_size=_size(footage, min(_PREVIEW_SIDE, _even(shorter))),
    )


def _rate(footage: Footage) -> Fraction:
    found = footage.frames / footage.seconds
    rates = (*_RATES, _RATE_MAX)
    meant = (rate for rate in rates if abs(found / rate - 1) < _RATE_ROUNDING)
    enough = (rate for rate in rates if found * _RATE_TOLERANCE <= rate)
    return next(chain(meant, enough), _RATE_MAX)


def _size(footage: Footage, rung: int) -> tuple[int, int]:
    shorter = min(footage.width, footage.height)
    return (_even(footage.width * rung / shorter), _even(footage.height * rung / shorter))


def _even(side: float) -> int:
    """Colour is stored for squares of two by two pixels. Rounded down, so that nothing is larger than its source."""
    return max(2, int(side) // 2 * 2)


def _rendition(codec: VideoCodec, rung: int, size: tuple[int, int], rate: Fraction) -> Rendition:
    width, height = size
    level = _h264_level(width, height, rate) if codec is VideoCodec.H264 else _av1_level(width, height, rate)
    kbps_max = next((kbps for side, kbps in _KBPS_MAX[codec].items() if side <= rung), _KBPS_MAX[codec][360])
    return Rendition(f"{codec}-{rung}", codec, width, height, _CRF[codec], kbps_max, level)


def _h264_level(width: int, height: int, rate: Fraction) -> int:
    columns, rows = -(-width // 16), -(-height // 16)
    blocks = columns * rows
    fits = (
        level
        for level, per_second, per_frame in _H264_LEVELS
        if blocks * rate <= per_second and blocks <= per_frame and max(columns, rows) ** 2 <= 8 * per_frame
    )
    return next(fits, _H264_LEVEL_BEYOND)


def _av1_level(width: int, height: int, rate: Fraction) -> int:
    samples = width * height
    fits = (
        level for level, per_frame, per_second in _AV1_LEVELS if samples <= per_frame and samples * rate <= per_second
    )
    return next(fits, _AV1_LEVEL_BEYOND)
