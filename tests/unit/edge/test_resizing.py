"""Pictures to measure, made by libvips."""

import asyncio
import io
import threading

import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edge import resizing
from edge.errors import UnreadableSource
from edge.resizing import Resizer, resized
from photolog.errors import Busy
from photolog.media.addresses import Fit, Picture, PictureFormat

MAGIC = {PictureFormat.AVIF: b"ftypavif", PictureFormat.WEBP: b"WEBP", PictureFormat.JPEG: b"\xff\xd8\xff"}


def source(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


def picture(width: int, height: int, fit: Fit, form: PictureFormat = PictureFormat.JPEG) -> Picture:
    return Picture(7, width, height, fit, form)


def size_of(data: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).size


@settings(max_examples=40)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 300), st.integers(1, 300), st.sampled_from(Fit))
def test_a_picture_keeps_to_its_box_and_never_grows(
    source_width: int, source_height: int, width: int, height: int, fit: Fit
) -> None:
    made_width, made_height = size_of(resized(source(source_width, source_height), picture(width, height, fit)))
    assert made_width <= min(width, source_width)
    assert made_height <= min(height, source_height)
    if fit is Fit.COVER and source_width >= width and source_height >= height:
        assert (made_width, made_height) == (width, height)


def test_what_is_covered_keeps_the_boxs_proportion_where_it_cannot_fill_it() -> None:
    assert size_of(resized(source(300, 200), picture(1_000, 1_000, Fit.COVER))) == (200, 200)


def test_what_is_contained_keeps_its_own_proportion() -> None:
    assert size_of(resized(source(300, 200), picture(150, 150, Fit.CONTAIN))) == (150, 100)


@pytest.mark.parametrize("form", MAGIC)
def test_each_format_is_written_and_opens_again(form: PictureFormat) -> None:
    data = resized(source(64, 48), picture(32, 32, Fit.COVER, form))
    assert MAGIC[form] in data[:16]
    decoded = pyvips.Image.new_from_buffer(data, "")
    assert (decoded.width, decoded.height) == (32, 32)


def test_a_source_that_is_no_picture_is_named() -> None:
    with pytest.raises(UnreadableSource, match="media 7"):
        resized(b"not a picture", picture(10, 10, Fit.COVER))


async def test_who_finds_no_place_is_sent_away_and_the_others_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    may_end = threading.Event()

    def slow(data: bytes, asked: Picture) -> bytes:
        may_end.wait(10)
        return data

    monkeypatch.setattr(resizing, "resized", slow)
    resizer = Resizer(at_once=1, waiting_max=2)

    async def made() -> bytes:
        with resizer.place():
            return await resizer.make(b"source", picture(10, 10, Fit.COVER))

    waiting = [asyncio.create_task(made()) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await made()
    may_end.set()
    assert await asyncio.gather(*waiting) == [b"source"] * 3
    assert await made() == b"source"
    resizer.close()
