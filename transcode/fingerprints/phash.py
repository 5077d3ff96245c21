"""A perceptual hash: 64 bits that stay nearly the same while a picture is encoded again or scaled.

It is the hash that `imagehash.phash` makes with its defaults, with its bits in the same order (Zauner, *Implementation
and Benchmarking of Perceptual Image Hash Functions*, 2010): the picture as 32 × 32 lumas, the 8 × 8 lowest frequencies
of its cosine transform, and a bit for each that tells whether it is above their median. What differs is where the
lumas come from: from a small rendering that exists anyway rather than from the whole photograph.
"""

from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

SIDE_PX = 32
BITS = 64
NEAR_BITS = 10
"""Hashes that differ in fewer bits are near; whether the pictures are the same is for `same_picture` to say."""

_FREQUENCIES = 8
_LUMA_OF_RGB = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as Pillow converts to grey
_COSINES = np.cos(
    np.pi / (2 * SIDE_PX) * np.arange(_FREQUENCIES)[:, np.newaxis] * (2 * np.arange(SIDE_PX) + 1)[np.newaxis, :]
)


def phash(luma: NDArray[Any]) -> int:
    """The hash of a picture that is shrunk already.

    Args:
        luma: `SIDE_PX` rows of as many lumas, 0 to 255.

    Returns:
        64 bits, unsigned; the lowest frequency is the most significant. `signed` is for where only longs are stored.
    """
    if luma.shape != (SIDE_PX, SIDE_PX):
        raise ValueError(f"the hash is of {SIDE_PX} × {SIDE_PX} lumas, not of {luma.shape}")
    low = _COSINES @ luma @ _COSINES.T
    return int.from_bytes(np.packbits(low > np.median(low)).tobytes(), "big")


def phash_of_image(image: pyvips.Image) -> int:
    """The hash of a picture in sRGB, without transparency, of any size; a small one costs less."""
    return phash(luma_of(shrunk(image, SIDE_PX)))


def phash_of_pixels(rgb: NDArray[np.uint8]) -> int:
    """The hash of a video's frame, or of any picture at hand as rows of RGB pixels: an array of height × width × 3."""
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ValueError(f"a frame is height × width × 3, not {rgb.shape}")
    height, width, bands = rgb.shape
    pixels = np.ascontiguousarray(rgb).tobytes()
    return phash_of_image(
        pyvips.Image.new_from_memory(pixels, width, height, bands, "uchar").copy(interpretation="srgb")
    )


def luma_of(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The lumas of RGB pixels, 0 to 255, unrounded."""
    luma: NDArray[np.float64] = rgb @ _LUMA_OF_RGB
    return luma


def shrunk(image: pyvips.Image, side_px: int) -> NDArray[np.uint8]:
    """A picture in sRGB squeezed or stretched into a square: `side_px` rows of as many RGB pixels."""
    small = image.thumbnail_image(side_px, height=side_px, size="force")
    return np.frombuffer(small.write_to_memory(), np.uint8).reshape(side_px, side_px, 3)


def distance(one: int, other: int) -> int:
    """In how many of their 64 bits two hashes differ."""
    return (one ^ other).bit_count()


def signed(hash_bits: int) -> int:
    """A hash as the long that Avro and Cassandra store: the same 64 bits in two's complement."""
    return hash_bits - (1 << BITS) if hash_bits >> (BITS - 1) else hash_bits


def unsigned(stored: int) -> int:
    """The hash that a stored long holds."""
    return stored & ((1 << BITS) - 1)
