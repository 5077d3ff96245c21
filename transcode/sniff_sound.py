"""What a file of sound really is, told from its first bytes; beside `transcode.sniff`."""

from enum import StrEnum

from transcode.sniff import HEAD_BYTES, VideoType, brands, detect_video

_SOUND_BRANDS = frozenset({b"M4A ", b"M4B "})
_SOUND_NAMES = {"audio/x-m4a": "audio/mp4", "audio/m4a": "audio/mp4", "audio/mp3": "audio/mpeg"}
_EBML, _DOC_TYPE = b"\x1aE\xdf\xa3", b"\x42\x82"
_TAGGED = (b"ID3\x02", b"ID3\x03", b"ID3\x04")
_MPEG1_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG2_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MPEG1_HZ = (44_100, 48_000, 32_000)


class SoundType(StrEnum):
    """The containers of sound that are accepted; the value is the media type."""

    MP4 = "audio/mp4"
    OGG = "audio/ogg"
    WEBM = "audio/webm"
    MPEG = "audio/mpeg"


def detect_sound(head: bytes) -> SoundType | None:
    """As `detect`, for sound. Whether an MP4 file holds pictures as well is not in its first bytes."""
    head = head[:HEAD_BYTES]
    if brands(head)[0] in _SOUND_BRANDS or detect_video(head) is VideoType.MP4:
        return SoundType.MP4
    if _is_opus(head):
        return SoundType.OGG
    if _is_webm(head):
        return SoundType.WEBM
    return SoundType.MPEG if head.startswith(_TAGGED) or _is_mpeg_audio(head) else None


def declared_sound(content_type: str) -> SoundType | None:
    """The container that a client's Content-Type names, or None; telephones and browsers have names of their own."""
    essence = content_type.split(";", 1)[0].strip().lower()
    essence = _SOUND_NAMES.get(essence, essence)
    return SoundType(essence) if essence in set(SoundType) else None


def _is_opus(head: bytes) -> bool:
    """Whether the first packet of an Ogg file (RFC 3533 §6) is the header of Opus (RFC 7845 §5.1)."""
    return head.startswith(b"OggS\0") and len(head) > 27 and head[27 + head[26] :].startswith(b"OpusHead")


def _is_webm(head: bytes) -> bool:
    """Whether the EBML header (RFC 8794 §11.2) says so: its elements have identifiers of one or two bytes."""
    if not head.startswith(_EBML):
        return False
    length, at = _ebml_number(head, len(_EBML))
    end = min(len(head), at + length)
    while at < end:
        name = head[at : at + (1 if head[at] & 0x80 else 2)]
        size, start = _ebml_number(head, at + len(name))
        if name == _DOC_TYPE:
            return head[start : start + size].rstrip(b"\0") == b"webm"
        at = start + size
    return False


def _ebml_number(head: bytes, at: int) -> tuple[int, int]:
    """A number of variable length (RFC 8794 §4), and where it ends; bytes that are no more count as noughts."""
    first = head[at] if at < len(head) else 0
    length = 9 - first.bit_length() if first else 8
    number = int.from_bytes(head[at : at + length].ljust(length, b"\0"), "big")
    return number & ((1 << 7 * length) - 1), at + length


def _is_mpeg_audio(head: bytes) -> bool:
    """Whether a frame of layer III is there, and another behind it, as eleven bits alone are soon met by chance."""
    length = _mpeg_frame_bytes(head[:4])
    return length > 0 and _mpeg_frame_bytes(head[length : length + 4]) > 0


def _mpeg_frame_bytes(header: bytes) -> int:
    """How long the frame of layer III is that begins so (ISO/IEC 11172-3 §2.4.1.3, 13818-3); 0 where it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, bits, hz, padding = (header[1] >> 3) & 3, header[2] >> 4, (header[2] >> 2) & 3, (header[2] >> 1) & 1
    if version == 1 or bits in (0, 15) or hz == 3:
        return 0
    is_first = version == 3
    kbps = (_MPEG1_KBPS if is_first else _MPEG2_KBPS)[bits]
    rate = _MPEG1_HZ[hz] >> {3: 0, 2: 1, 0: 2}[version]
    return (144_000 if is_first else 72_000) * kbps // rate + padding
