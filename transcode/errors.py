"""Why an upload is refused: a closed set of reasons, so that clients, events and metrics may rely on the slugs."""

from enum import StrEnum

from photolog.errors import PhotologError


class Reason(StrEnum):
    """The slug of a refusal. Slugs are stored in events: add to them, never rename one."""

    MISSING = "missing-file"
    CHANGED = "checksum-mismatch"
    EMPTY = "empty-file"
    TOO_MANY_BYTES = "too-many-bytes"
    NOT_AN_IMAGE = "not-an-image"
    MISLABELLED = "mislabelled-type"
    TOO_MANY_PIXELS = "too-many-pixels"
    EXTREME_SHAPE = "extreme-shape"
    DAMAGED = "damaged-image"
    TOO_MUCH_MEMORY = "too-much-memory"
    TOO_SLOW = "too-slow"
    TOO_MUCH_OUTPUT = "too-much-output"
    DECODER_CRASHED = "decoder-crashed"
    NOT_A_VIDEO = "not-a-video"
    DAMAGED_VIDEO = "damaged-video"
    UNSUPPORTED_CODEC = "unsupported-codec"
    TOO_LONG = "too-long"
    TOO_SMALL = "too-small"
    TOO_MANY_FRAMES = "too-many-frames"
    NOT_AUDIO = "not-audio"
    DAMAGED_AUDIO = "damaged-audio"
    TOO_MANY_CHANNELS = "too-many-channels"


TROUBLE = frozenset(
    {
        Reason.DAMAGED_VIDEO,
        Reason.DAMAGED_AUDIO,
        Reason.DECODER_CRASHED,
        Reason.TOO_MUCH_MEMORY,
        Reason.TOO_MUCH_OUTPUT,
        Reason.TOO_SLOW,
    }
)
"""Where a program failed at a file, which may be the file's fault or the program's: operators should see what it said,
and a better program may be tried on it. A photograph that is cut short says so by itself."""

SENTENCES: dict[Reason, str] = {
    Reason.MISSING: "The uploaded file is gone.",
    Reason.CHANGED: "The file is not the one whose checksum was told: it changed on its way.",
    Reason.EMPTY: "The file has no bytes.",
    Reason.TOO_MANY_BYTES: "The file is larger than its kind may be.",
    Reason.NOT_AN_IMAGE: "The file is not a JPEG, PNG or HEIC image.",
    Reason.MISLABELLED: "The file's content is of another type than was declared.",
    Reason.TOO_MANY_PIXELS: "The image has more pixels than it may have.",
    Reason.EXTREME_SHAPE: "One side of the image is too many times longer than the other.",
    Reason.DAMAGED: "The image is cut short or damaged.",
    Reason.TOO_MUCH_MEMORY: "The file takes more memory to decode than it may.",
    Reason.TOO_SLOW: "The file takes longer to decode than it may.",
    Reason.TOO_MUCH_OUTPUT: "The file's variants are larger than they may be.",
    Reason.DECODER_CRASHED: "The file could not be decoded.",
    Reason.NOT_A_VIDEO: "The file is not an MP4 or QuickTime video.",
    Reason.DAMAGED_VIDEO: "The video is cut short or damaged.",
    Reason.UNSUPPORTED_CODEC: "The pictures or the sound are coded in a way that is not accepted.",
    Reason.TOO_LONG: "The file lasts longer than it may.",
    Reason.TOO_SMALL: "The video is smaller than 64 pixels on a side.",
    Reason.TOO_MANY_FRAMES: "The video has more frames than it may have.",
    Reason.NOT_AUDIO: "The file is not an MP4, Ogg, WebM or MP3 recording.",
    Reason.DAMAGED_AUDIO: "The recording is cut short or damaged.",
    Reason.TOO_MANY_CHANNELS: "The recording has more channels than it may have.",
}


class UnprocessableMedia(PhotologError):
    """A picture, a video or a voice note that is refused; trying again gives the same answer.

    Args:
        reason: stable slug.
        diagnosis: what the decoder said, for logs only; it may quote the file.
    """

    def __init__(self, reason: Reason, diagnosis: str = "") -> None:
        super().__init__(f"{reason}: {diagnosis}" if diagnosis else str(reason))
        self.reason = reason
        self.detail = SENTENCES[reason]
        self.diagnosis = diagnosis


class SandboxUnavailable(PhotologError):
    """No decoder could be started: our own fault and not the picture's, so the picture waits and is tried again."""
