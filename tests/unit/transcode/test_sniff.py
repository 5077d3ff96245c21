"""A file's type is what its bytes say."""

import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.transcode.pictures import encoded, quarters
from transcode.sniff import HEAD_BYTES, PhotoType, VideoType, declared_type, declared_video, detect, detect_video


def ftyp(major: bytes, *compatible: bytes, size: int | None = None) -> bytes:
    body = b"ftyp" + major + b"\0\0\0\0" + b"".join(compatible)
    return (size or len(body) + 4).to_bytes(4, "big") + body


@pytest.mark.parametrize("kind", PhotoType)
def test_each_accepted_type_is_told_from_its_first_bytes(kind: PhotoType) -> None:
    assert detect(encoded(quarters(64, 48), kind)[:HEAD_BYTES]) is kind


@pytest.mark.parametrize(
    "head",
    [
        ftyp(b"heic", b"mif1", b"heic"),
        ftyp(b"heix"),
        ftyp(b"mif1", b"mif1", b"heic"),
        ftyp(b"mif1", b"miaf", b"heix") + b"\0" * 100,
        ftyp(b"msf1", b"hevc"),
    ],
)
def test_every_brand_of_hevc_picture_is_heic(head: bytes) -> None:
    assert detect(head) is PhotoType.HEIC


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff\xd8",
        b"hello, this is not a picture",
        b"GIF89a" + b"\0" * 50,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"RIFF\x10\0\0\0WEBPVP8 ",
        b"II*\0" + b"\0" * 50,
        b"\x89PNG\r\n\x1a\n but no header",
        ftyp(b"isom", b"isom", b"mp42"),
        ftyp(b"avif", b"mif1", b"miaf"),
        ftyp(b"mif1", b"mif1", b"avif"),
        ftyp(b"mif1"),
        ftyp(b"isom", b"heic"),
        ftyp(b"mif1", b"avif", size=20) + b"heic",
    ],
)
def test_anything_else_is_no_photograph(head: bytes) -> None:
    assert detect(head) is None


def test_avif_is_not_taken_for_heic() -> None:
    image = pyvips.Image.black(64, 64, bands=3).copy(interpretation="srgb")
    assert detect(image.heifsave_buffer(compression="av1")[:HEAD_BYTES]) is None


@given(st.binary(max_size=64), st.sampled_from([b"", ftyp(b"mif1"), b"\0\0\0\xffftyp", b"\xff\xd8\xff", b"\x89PNG"]))
def test_no_bytes_make_it_fail(tail: bytes, start: bytes) -> None:
    detect(start + tail)


@given(st.binary(max_size=HEAD_BYTES))
def test_bytes_past_the_head_change_nothing(tail: bytes) -> None:
    head = ftyp(b"mif1", size=2**32 - 1).ljust(HEAD_BYTES, b"\0")
    assert detect(head + tail) == detect(head)


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("image/jpeg", PhotoType.JPEG),
        ("IMAGE/PNG", PhotoType.PNG),
        ("image/heif", PhotoType.HEIC),
        ("image/heic; brand=heix", PhotoType.HEIC),
        ("image/gif", None),
        ("text/html", None),
        ("", None),
    ],
)
def test_a_declared_type_is_read_leniently_but_never_guessed(content_type: str, kind: PhotoType | None) -> None:
    assert declared_type(content_type) is kind


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (ftyp(b"isom", b"isom", b"iso2", b"avc1", b"mp41"), VideoType.MP4),
        (ftyp(b"mp42", b"isom", b"mp42"), VideoType.MP4),
        (ftyp(b"qt  ", b"qt  "), VideoType.QUICKTIME),
        (ftyp(b"zzzz", b"iso6"), VideoType.MP4),
        (ftyp(b"isom", b"qt  "), VideoType.MP4),
    ],
)
def test_a_video_is_told_by_its_brands(head: bytes, kind: VideoType) -> None:
    assert detect_video(head) is kind
    assert detect(head) is None


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"#EXTM3U\n#EXTINF:4,\nfile:///etc/passwd\n",
        b"\x1aE\xdf\xa3 webm",
        b"\0\0\0\x08moov",
        ftyp(b"avif", b"mif1"),
        ftyp(b"M4A ", b"M4A "),
        ftyp(b"zzzz"),
        b"\xff\xd8\xff" + ftyp(b"isom"),
        ftyp(b"heic", b"isom", b"heic"),
    ],
)
def test_what_is_no_video_or_a_photograph_as_well_is_none(head: bytes) -> None:
    assert detect_video(head) is None


def test_a_declared_video_is_an_mp4_or_a_quicktime_file() -> None:
    said = ["video/mp4", "Video/QuickTime; codecs=avc1", "video/webm", "image/jpeg", ""]
    assert [declared_video(one) for one in said] == [VideoType.MP4, VideoType.QUICKTIME, None, None, None]
