"""The hash is that of imagehash, and survives what nobody sees."""

import io

import imagehash
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.unit.transcode.fingerprints.photographs import NAMES, photograph, prints_of, resized, saved
from transcode.fingerprints.phash import NEAR_BITS, SIDE_PX, distance, phash, phash_of_pixels, signed, unsigned

hashes = st.integers(min_value=0, max_value=2**64 - 1)


def reference(data: bytes) -> int:
    with Image.open(io.BytesIO(data)) as picture:
        return int(str(imagehash.phash(picture)), 16)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width_px", [500, 3000])
def test_it_differs_from_imagehash_in_two_bits_at_most(name: str, width_px: int) -> None:
    data = saved(photograph(name, width_px))
    assert distance(prints_of(data).phash, reference(data)) <= 2


@pytest.mark.parametrize("name", NAMES)
def test_encoding_again_and_scaling_leave_it_near(name: str) -> None:
    picture = photograph(name)
    original = prints_of(saved(picture)).phash
    for again in (saved(picture, quality=50), saved(resized(picture, 320), quality=75), saved(resized(picture, 2000))):
        assert distance(prints_of(again).phash, original) < NEAR_BITS


def test_different_photographs_are_far_apart() -> None:
    found = [prints_of(saved(photograph(name, 640))).phash for name in NAMES]
    pairs = [(one, other) for index, one in enumerate(found) for other in found[:index]]
    assert min(distance(*pair) for pair in pairs) >= NEAR_BITS


def test_a_videos_frame_is_hashed_as_a_photograph_is() -> None:
    picture = photograph("astronaut.png", 640)
    assert distance(phash_of_pixels(np.asarray(picture)), prints_of(saved(picture, quality=95)).phash) <= 2


def test_a_picture_of_one_colour_has_a_hash() -> None:
    assert phash(np.full((SIDE_PX, SIDE_PX), 40.0)) == phash(np.full((SIDE_PX, SIDE_PX), 40.0))


@pytest.mark.parametrize("shape", [(8, 8), (32, 32, 3)])
def test_lumas_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="32 × 32"):
        phash(np.zeros(shape))


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 4), (0, 8, 3)])
def test_a_frame_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a frame is"):
        phash_of_pixels(np.zeros(shape, np.uint8))


@given(hashes, hashes)
def test_a_stored_long_holds_the_same_bits(one: int, other: int) -> None:
    assert -(2**63) <= signed(one) < 2**63
    assert unsigned(signed(one)) == one
    assert distance(one, other) == sum((one >> bit & 1) != (other >> bit & 1) for bit in range(64))
