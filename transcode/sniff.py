"""What a file really is, told from its first bytes and never from its name or its declared type."""

from enum import StrEnum

HEAD_BYTES = 4_096
"""As many bytes as `detect` ever looks at: the range to read from a stored object."""

_JPEG_START = b"\xff\xd8\xff"
_PNG_START = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"

# ISO/IEC 23008-12 and the registry at mp4ra.org: brands that promise HEVC-coded pictures …
_HEVC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
# … and brands that promise a picture of any coding, so that another brand beside them must name HEVC.
_ANY_PICTURE_BRANDS = frozenset({b"mif1", b"mif2", b"msf1"})
_QUICKTIME_BRAND = b"qt  "
# The registry again: ISO base media, MP4, AVC, Apple's, Sony's and Adobe's names for it, and CMAF. There are more,
# but a file of theirs names one of these beside its own.
_MP4_BRANDS = frozenset(
    {b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"mp41", b"mp42", b"avc1"}
    | {b"M4V ", b"M4VH", b"M4VP", b"MSNV", b"XAVC", b"F4V ", b"cmfc", b"dash"}
)


class PhotoType(StrEnum):
    """The kinds of photograph that are accepted; the value is the media type."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    HEIC = "image/heic"


class VideoType(StrEnum):
    """The containers of video that are accepted; the value is the media type. One demuxer reads both."""

    MP4 = "video/mp4"
    QUICKTIME = "video/quicktime"


def detect(head: bytes) -> PhotoType | None:
    """The type that the first `HEAD_BYTES` of a file show, or None for anything that is no accepted photograph.

    It is a first look, cheap enough for the gateway: bytes that start like a JPEG may still fail to decode.
    """
    if head.startswith(_JPEG_START):
        return PhotoType.JPEG
    if head.startswith(_PNG_START):
        return PhotoType.PNG
    return PhotoType.HEIC if _is_heic(head[:HEAD_BYTES]) else None


def declared_type(content_type: str) -> PhotoType | None:
    """The type that a client's Content-Type names, or None. HEIF is taken for HEIC, as phones use either name."""
    essence = content_type.split(";", 1)[0].strip().lower()
    if essence == "image/heif":
        return PhotoType.HEIC
    return PhotoType(essence) if essence in set(PhotoType) else None


def detect_video(head: bytes) -> VideoType | None:
    """As `detect`, for videos: a file that both know is none, so that no bytes have two readings.

    A QuickTime file of before 2001, which begins without a list of its brands, is not known.
    """
    if detect(head) is not None:
        return None
    major, compatible = brands(head[:HEAD_BYTES])
    if major == _QUICKTIME_BRAND:
        return VideoType.QUICKTIME
    if major in _MP4_BRANDS or not _MP4_BRANDS.isdisjoint(compatible):
        return VideoType.MP4
    return VideoType.QUICKTIME if _QUICKTIME_BRAND in compatible else None


def declared_video(content_type: str) -> VideoType | None:
    """The container that a client's Content-Type names, or None."""
    essence = content_type.split(";", 1)[0].strip().lower()
    return VideoType(essence) if essence in set(VideoType) else None


def brands(head: bytes) -> tuple[bytes, set[bytes]]:
    """The major brand of an ISO base media file and its compatible ones; nothing where the bytes are none."""
    if head[4:8] != b"ftyp":
        return b"", set()
    box = head[: int.from_bytes(head[:4], "big")]
    return box[8:12], {box[start : start + 4] for start in range(16, len(box) - 3, 4)}


def _is_heic(head: bytes) -> bool:
    major, compatible = brands(head)
    return major in _HEVC_BRANDS or (major in _ANY_PICTURE_BRANDS and not _HEVC_BRANDS.isdisjoint(compatible))
