"""What may be uploaded, for what, and how large: judged by what is declared, before a byte is sent. The bytes are
judged when they have come.
"""

from photolog.errors import Invalid
from photolog.settings import LimitSettings
from schemas.events import Purpose
from transcode.sniff import PhotoType, VideoType, declared_type, declared_video, detect, detect_video

MediaType = PhotoType | VideoType


def accepted(content_type: str, purpose: Purpose, size_bytes: int, limits: LimitSettings) -> MediaType:
    """The type of an upload, by its Content-Type.

    Raises:
        Invalid: it is no type that is taken, not for this purpose, or too large.
    """
    kind = declared_type(content_type) or declared_video(content_type)
    if kind is None:
        raise Invalid(
            "unsupported-type", "upload image/jpeg, image/png, image/heic, video/mp4 or video/quicktime", "content_type"
        )
    if purpose == "reel" and isinstance(kind, PhotoType):
        raise Invalid("unsupported-type", "a reel is a video", "content_type")
    most, what = (
        (limits.photo_bytes_max, "photograph") if isinstance(kind, PhotoType) else (limits.video_bytes_max, "video")
    )
    if size_bytes > most:
        raise Invalid("file-too-large", f"a {what} has at most {most} bytes", "size_bytes")
    return kind


def detected(head: bytes) -> MediaType | None:
    """The type that a file's first bytes show, or None for anything that is not taken."""
    return detect(head) or detect_video(head)
