"""What is kept of a picture so that another can be held against it later without decoding either.

The picture squeezed into a square of 128 × 128 lumas and 32 × 32 colours, and its size as shown: 18 KB of plain numbers
that nobody has to decode, so that comparing opens no hostile file. It is kept beside the variants, not in a row.
"""

import struct
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyvips
from numpy.typing import NDArray

from photolog.errors import PhotologError
from transcode.fingerprints.phash import luma_of, shrunk

LUMA_PX = 128
CHROMA_PX = 32
_HEAD = struct.Struct(">BII")
_VERSION = 1
_LUMA_BYTES = LUMA_PX * LUMA_PX
_CHROMA_BYTES = CHROMA_PX * CHROMA_PX
THUMBPRINT_BYTES = _HEAD.size + _LUMA_BYTES + 2 * _CHROMA_BYTES
_MIDDLE = 128


class BadThumbprint(PhotologError):
    """Bytes that are no thumbprint of this version; make it again from the original."""


@dataclass(frozen=True, slots=True, eq=False)
class Thumbprint:
    """A picture's small likeness.

    Args:
        width: pixels of the picture as shown.
        height: the same.
        luma: rows of lumas, 0 to 255.
        blue: rows of how much bluer than its luma the picture is, halved, with 128 for not at all.
        red: the same for red.
    """

    width: int
    height: int
    luma: NDArray[np.uint8]
    blue: NDArray[np.uint8]
    red: NDArray[np.uint8]

    @classmethod
    def of(cls, image: pyvips.Image, width: int, height: int) -> Self:
        """The thumbprint of a picture.

        Args:
            image: a rendering in sRGB without transparency; the one that is `transcode.plan`'s narrowest rung, so that
                every photograph has been scaled in the same way.
            width: pixels of the picture as shown, which the rendering's are not.
            height: the same.
        """
        colours = shrunk(image, CHROMA_PX)
        grey = luma_of(colours)
        return cls(
            width,
            height,
            _bytes(luma_of(shrunk(image, LUMA_PX))),
            _bytes((colours[..., 2] - grey) / 2 + _MIDDLE),
            _bytes((colours[..., 0] - grey) / 2 + _MIDDLE),
        )

    def packed(self) -> bytes:
        """As it is stored: `THUMBPRINT_BYTES`, always."""
        planes = self.luma.tobytes() + self.blue.tobytes() + self.red.tobytes()
        return _HEAD.pack(_VERSION, self.width, self.height) + planes

    @classmethod
    def unpacked(cls, stored: bytes) -> Self:
        """What was stored. Raises BadThumbprint where that is no thumbprint."""
        if len(stored) != THUMBPRINT_BYTES:
            raise BadThumbprint(f"a thumbprint has {THUMBPRINT_BYTES} bytes, not {len(stored)}")
        version, width, height = _HEAD.unpack_from(stored)
        if version != _VERSION or not width or not height:
            raise BadThumbprint(f"a thumbprint of version {version} for {width} × {height} pixels")
        values = np.frombuffer(stored, np.uint8, offset=_HEAD.size)
        luma, blue, red = np.split(values, [_LUMA_BYTES, _LUMA_BYTES + _CHROMA_BYTES])
        colour = (CHROMA_PX, CHROMA_PX)
        return cls(width, height, luma.reshape(LUMA_PX, LUMA_PX), blue.reshape(colour), red.reshape(colour))


def _bytes(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
