"""Why a picture is refused: a closed set of reasons, so that clients, events and metrics may rely on the slugs."""

from enum import StrEnum

from photolog.errors import PhotologError


class Reason(StrEnum):
    """The slug of a refusal. Slugs are stored in events: add to them, never rename one."""

    MISSING = "missing-file"
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


SENTENCES: dict[Reason, str] = {
    Reason.MISSING: "The uploaded file is gone.",
    Reason.EMPTY: "The file has no bytes.",
    Reason.TOO_MANY_BYTES: "The file is larger than a photograph may be.",
    Reason.NOT_AN_IMAGE: "The file is not a JPEG, PNG or HEIC image.",
    Reason.MISLABELLED: "The file's content is of another type than was declared.",
    Reason.TOO_MANY_PIXELS: "The image has more pixels than a photograph may have.",
    Reason.EXTREME_SHAPE: "One side of the image is too many times longer than the other.",
    Reason.DAMAGED: "The image is cut short or damaged.",
    Reason.TOO_MUCH_MEMORY: "The image takes more memory to decode than a photograph may.",
    Reason.TOO_SLOW: "The image takes longer to decode than a photograph may.",
    Reason.TOO_MUCH_OUTPUT: "The image's variants are larger than they may be.",
    Reason.DECODER_CRASHED: "The image could not be decoded.",
}


class UnprocessableMedia(PhotologError):
    """A picture that is refused; trying again gives the same answer.

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
