"""What may be uploaded, for what, and how large: judged by what is declared, before a byte is sent. The bytes are
judged when they have come.
"""

from photolog.errors import Invalid
from photolog.settings import LimitSettings
from schemas.events import Purpose
from transcode.sniff import PhotoType, VideoType, declared_type, declared_video, detect, detect_video
from transcode.sniff_sound import SoundType, declared_sound, detect_sound

MediaType = PhotoType | VideoType | SoundType
_TAKEN = ", ".join((*PhotoType, *VideoType, *SoundType))


def accepted(content_type: str, purpose: Purpose, size_bytes: int, limits: LimitSettings) -> MediaType:
    """The type of an upload, by its Content-Type.

    Raises:
        Invalid: it is no type that is taken, not for this purpose, or too large.
    """
    kind = declared_type(content_type) or declared_video(content_type) or declared_sound(content_type)
    if kind is None:
        raise Invalid("unsupported-type", f"upload one of {_TAKEN}", "content_type")
    if purpose == "reel" and isinstance(kind, PhotoType):
        raise Invalid("unsupported-type", "a reel is a video", "content_type")
    if (purpose == "voice") != isinstance(kind, SoundType):
        raise Invalid("unsupported-type", "a voice note is sound, and sound a voice note", "content_type")
    most, what = _bound(kind, limits)
    if size_bytes > most:
        raise Invalid("file-too-large", f"a {what} has at most {most} bytes", "size_bytes")
    return kind


def detected(head: bytes, purpose: Purpose) -> MediaType | None:
    """The type that a file's first bytes show, or None for anything that is not taken for a purpose.

    An MP4 of sound begins like one of pictures, so that what it is for decides which it is taken for at first.
    """
    return detect(head) or (detect_sound(head) if purpose == "voice" else detect_video(head))


def _bound(kind: MediaType, limits: LimitSettings) -> tuple[int, str]:
    """How many bytes a file of a type may have, and what it is called."""
    match kind:
        case PhotoType():
            return limits.photo_bytes_max, "photograph"
        case VideoType():
            return limits.video_bytes_max, "video"
        case SoundType():
            return limits.voice_bytes_max, "voice note"
