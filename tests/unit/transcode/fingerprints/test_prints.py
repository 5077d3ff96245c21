"""What a photograph's prints are, as the decoder makes them."""

import blurhash
import pytest
from PIL import Image

from tests.unit.transcode.fingerprints.photographs import photograph, prints_of, saved
from tests.unit.transcode.pictures import BLUE, quarters
from transcode.fingerprints.thumbprint import THUMBPRINT_BYTES, BadThumbprint, Thumbprint


def test_a_blurhash_shows_the_photographs_colours() -> None:
    # Decoded by the package that clients in Python use; a corner shows its quarter, the whole its middle colour.
    rows = blurhash.decode(prints_of(saved(quarters())).blurhash, 32, 24)
    for (across, down), colour in {(4, 3): (180, 60, 60), (4, 20): BLUE}.items():
        assert max(abs(a - b) for a, b in zip(rows[down][across], colour, strict=True)) < 60


def test_a_thumbprint_knows_the_size_as_shown_and_the_lumas() -> None:
    stored = prints_of(saved(Image.new("RGB", (3000, 2000), (200, 100, 50)))).thumbprint
    print_ = Thumbprint.unpacked(stored)
    assert (print_.width, print_.height, len(stored)) == (3000, 2000, THUMBPRINT_BYTES)
    luma = round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)
    assert abs(int(print_.luma.min()) - luma) <= 1
    assert abs(int(print_.blue.max()) - (128 + (50 - luma) / 2)) <= 1
    assert abs(int(print_.red.max()) - (128 + (200 - luma) / 2)) <= 1
    assert print_.packed() == stored


def test_grey_and_transparent_pictures_have_prints_too() -> None:
    grey = Thumbprint.unpacked(prints_of(saved(photograph("camera.png").convert("L"))).thumbprint)
    assert {int(value) for value in (*grey.blue.flat, *grey.red.flat)} == {128}


@pytest.mark.parametrize(
    "stored",
    [b"", bytes(THUMBPRINT_BYTES), b"\1" + bytes(8) + bytes(THUMBPRINT_BYTES - 9), b"\1" * THUMBPRINT_BYTES * 2],
)
def test_bytes_that_are_no_thumbprint_are_refused(stored: bytes) -> None:
    with pytest.raises(BadThumbprint):
        Thumbprint.unpacked(stored)
