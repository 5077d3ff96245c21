"""What a look into a video file finds, and whether we take it: pure, and decided before a frame is encoded.

The program that looks into it imports this, so that it may import nothing that the cage does not let it read.
"""

import msgspec

from transcode.errors import Reason, UnprocessableMedia

# A recorder that stops at a minute stops a few frames later.
SECONDS_OVER = 0.5
_SIDE_MIN = 64
_SIDES_RATIO_MAX = 3
# A file may say that it is longer than its frames, by a frame here and there, but not by this.
_MISSING_SECONDS_MAX = 0.5
_SMPTE_2084, _HLG = 16, 18

VIDEO_CODECS = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4"})
AUDIO_CODECS = frozenset({"aac", "mp3", "alac", "ac3", "eac3", "opus", "pcm_s16le", "pcm_s16be", "pcm_s24le"})


class VideoLimits(msgspec.Struct, frozen=True):
    """What one video may cost.

    Args:
        bytes_max: bytes of the file.
        pixels_max: pixels of a frame of the source; 4096 × 2304 lets every phone's 4K through.
        frames_max: frames of the source: 90 s at 100 frames a second.
        probe_memory_bytes_max: address space of the process that looks into the file.
        probe_seconds_max: its processor time, and a sixth of the time it may take.
        memory_bytes_max: address space of ffmpeg.
        cpu_seconds_max: processor time of ffmpeg, over all threads. 90 s of 1080p took some 250 s.
        wall_seconds_max: time of ffmpeg, after which it is killed.
        output_bytes_max: everything that is made, together.
        threads: of each decoder and encoder.
    """

    bytes_max: int = 100 * 1024 * 1024
    pixels_max: int = 4096 * 2304
    frames_max: int = 9_000
    probe_memory_bytes_max: int = 1024**3
    probe_seconds_max: int = 10
    memory_bytes_max: int = 6 * 1024**3
    cpu_seconds_max: int = 3_600
    wall_seconds_max: float = 1_800.0
    output_bytes_max: int = 512 * 1024 * 1024
    threads: int = 2


class Footage(msgspec.Struct, frozen=True, tag="footage"):
    """A video file as it is played.

    Args:
        width: pixels as shown, once it is turned upright and its pixels are square.
        height: likewise.
        coded_pixels: pixels of a frame as it is stored.
        frames: pictures that were counted in the file.
        seconds: from the first picture until the end of the last.
        declared_seconds: how long the file says that it is; 0 where it says nothing.
        video_codec: libav's name of it.
        audio_codec: that of the track of sound that is taken, None where there is none; where there are some but none
            that we decode, that of the first.
        audio_track: which of the tracks of sound that is, from 0.
        primaries, transfer, matrix: of the colours, as numbered in ITU-T H.273; 2 where the file does not say.
    """

    width: int
    height: int
    coded_pixels: int
    frames: int
    seconds: float
    declared_seconds: float
    video_codec: str
    audio_codec: str | None = None
    audio_track: int = 0
    primaries: int = 2
    transfer: int = 2
    matrix: int = 2

    @property
    def is_hdr(self) -> bool:
        """Whether its brightness is that of PQ or HLG, which a screen of today shows washed out if it is not told."""
        return self.transfer in (_SMPTE_2084, _HLG)


def judge(footage: Footage, limits: VideoLimits, seconds_max: float) -> None:
    """See that a video is one that we take.

    Raises:
        UnprocessableMedia: it is not; the reason says why.
    """
    for reason, is_so, diagnosis in _objections(footage, limits, seconds_max):
        if is_so:
            raise UnprocessableMedia(reason, diagnosis)


def _objections(footage: Footage, limits: VideoLimits, seconds_max: float) -> tuple[tuple[Reason, bool, str], ...]:
    shorter, longer = sorted((footage.width, footage.height))
    size, codecs = f"{footage.width}x{footage.height}", f"{footage.video_codec} and {footage.audio_codec}"
    is_foreign = footage.video_codec not in VIDEO_CODECS or footage.audio_codec not in {None, *AUDIO_CODECS}
    missing_seconds = footage.declared_seconds - footage.seconds
    return (
        (Reason.TOO_MANY_PIXELS, footage.coded_pixels > limits.pixels_max, f"{footage.coded_pixels} pixels"),
        (Reason.TOO_SMALL, shorter < _SIDE_MIN, size),
        (Reason.EXTREME_SHAPE, longer > _SIDES_RATIO_MAX * shorter, size),
        (Reason.UNSUPPORTED_CODEC, is_foreign, codecs),
        (Reason.TOO_MANY_FRAMES, footage.frames > limits.frames_max, f"more than {limits.frames_max} frames"),
        (Reason.TOO_LONG, footage.seconds > seconds_max + SECONDS_OVER, f"{footage.seconds:.1f} s"),
        (Reason.DAMAGED_VIDEO, footage.frames < 1 or footage.seconds <= 0, "no frames"),
        (Reason.DAMAGED_VIDEO, missing_seconds > _MISSING_SECONDS_MAX, f"{missing_seconds:.1f} s are missing"),
    )
