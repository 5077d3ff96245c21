"""A recording's type is what its bytes say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.transcode.test_sniff import ftyp
from transcode.sniff import HEAD_BYTES
from transcode.sniff_sound import SoundType, declared_sound, detect_sound

OPUS = b"OggS\0\x02" + bytes(20) + b"\x01\x13" + b"OpusHead\x01\x01"
WEBM = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webmB\x87\x81\x04B\x85\x81\x02"
MATROSKA = b"\x1aE\xdf\xa3\x8bB\x82\x88matroska"
# Layer III of MPEG 1, 128 kbit/s at 44.1 kHz: 417 bytes. Of MPEG 2, 64 kbit/s at 22.05 kHz: 208 bytes.
FRAME, HALF_RATE = b"\xff\xfb\x90\xc4" + bytes(413), b"\xff\xf3\x80\xc4" + bytes(204)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (ftyp(b"M4A ", b"M4A ", b"isom"), SoundType.MP4),
        (ftyp(b"M4A "), SoundType.MP4),
        (ftyp(b"mp42", b"isom", b"mp42"), SoundType.MP4),
        (OPUS, SoundType.OGG),
        (WEBM, SoundType.WEBM),
        (FRAME * 2, SoundType.MPEG),
        (HALF_RATE * 2, SoundType.MPEG),
        (b"ID3\x03\0\0\0\0\0\0" + FRAME, SoundType.MPEG),
    ],
)
def test_each_accepted_type_is_told_from_its_first_bytes(head: bytes, kind: SoundType) -> None:
    assert detect_sound(head) is kind


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"#EXTM3U\n#EXTINF:4,\nfile:///etc/passwd\n",
        bytes(100),
        OPUS[:27],
        OPUS.replace(b"OpusHead", b"\x01vorbis\0"),
        MATROSKA,
        WEBM[:8],
        b"\x1aE\xdf\xa3",
        FRAME,
        FRAME + bytes(417),
        # Layers II and I, a reserved version, and ADTS.
        (b"\xff\xfd\x90\xc4" + bytes(413)) * 2,
        (b"\xff\xff\x90\xc4" + bytes(413)) * 2,
        (b"\xff\xeb\x90\xc4" + bytes(413)) * 2,
        (b"\xff\xf1\x50\x80" + bytes(413)) * 2,
        ftyp(b"qt  "),
        ftyp(b"heic", b"mif1"),
        b"\xff\xd8\xff\xe0" + bytes(100),
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"fLaC\0\0\0\x22",
    ],
)
def test_anything_else_is_no_recording_that_we_take(head: bytes) -> None:
    assert detect_sound(head) is None


@given(
    st.binary(max_size=80),
    st.sampled_from([b"", b"\x1aE\xdf\xa3", b"OggS\0", b"\xff\xfb", b"ID3", b"\0\0\0\xffftyp"]),
)
def test_no_bytes_make_it_fail(tail: bytes, start: bytes) -> None:
    detect_sound(start + tail)


@given(st.binary(max_size=64))
def test_bytes_past_the_head_change_nothing(tail: bytes) -> None:
    head = ftyp(b"M4A ", size=2**32 - 1).ljust(HEAD_BYTES, b"\0")
    assert detect_sound(head + tail) == detect_sound(head)


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("audio/mp4", SoundType.MP4),
        ("Audio/X-M4A", SoundType.MP4),
        ("audio/m4a", SoundType.MP4),
        ("audio/ogg; codecs=opus", SoundType.OGG),
        ("audio/webm;codecs=opus", SoundType.WEBM),
        ("audio/mpeg", SoundType.MPEG),
        ("audio/mp3", SoundType.MPEG),
        ("audio/wav", None),
        ("audio/aac", None),
        ("video/mp4", None),
        ("", None),
    ],
)
def test_a_declared_type_is_read_leniently_but_never_guessed(content_type: str, kind: SoundType | None) -> None:
    assert declared_sound(content_type) is kind
