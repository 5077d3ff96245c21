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


class PhotoType(StrEnum):
    """The kinds of photograph that are accepted; the value is the media type."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    HEIC = "image/heic"


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


def _is_heic(head: bytes) -> bool:
    if head[4:8] != b"ftyp":
        return False
    box = head[: int.from_bytes(head[:4], "big")]
    major, compatible = box[8:12], {box[start : start + 4] for start in range(16, len(box) - 3, 4)}
    return major in _HEVC_BRANDS or (major in _ANY_PICTURE_BRANDS and not _HEVC_BRANDS.isdisjoint(compatible))
