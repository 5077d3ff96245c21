"""What is taken of a photograph beside its variants, while it is decoded anyway."""

from typing import Self

import blurhash
import msgspec
import pyvips

from transcode.fingerprints.phash import BITS, phash_of_image, shrunk
from transcode.fingerprints.thumbprint import THUMBPRINT_BYTES, Thumbprint

# Four by three colours: what an application shows while the photograph is on its way, in 28 characters.
_BLUR_ACROSS, _BLUR_DOWN = 4, 3
BLURHASH_CHARACTERS = 4 + 2 * _BLUR_ACROSS * _BLUR_DOWN
_BLUR_PX = 20  # the encoder is Python, and takes 2 ms for so many pixels in a square


class Prints(msgspec.Struct, frozen=True):
    """A photograph's prints. They come out of a process that may have been taken over, so `are_whole` judges them.

    Args:
        phash: the perceptual hash, 64 bits, unsigned.
        thumbprint: `Thumbprint.packed`.
        blurhash: a blurred likeness in characters (blurha.sh), for clients.
    """

    phash: int
    thumbprint: bytes
    blurhash: str

    @classmethod
    def of(cls, image: pyvips.Image, width: int, height: int) -> Self:
        """The prints of a photograph.

        Args:
            image: its narrowest rendering, without transparency.
            width: pixels of the photograph as shown.
            height: the same.
        """
        coloured = image.colourspace("srgb")
        blur = blurhash.encode(shrunk(coloured, _BLUR_PX).tolist(), _BLUR_ACROSS, _BLUR_DOWN)
        return cls(phash_of_image(coloured), Thumbprint.of(coloured, width, height).packed(), blur)

    @property
    def are_whole(self) -> bool:
        """Whether each has the form that it must have. Nobody can tell whether they are the photograph's."""
        return (
            0 <= self.phash < 1 << BITS
            and len(self.thumbprint) == THUMBPRINT_BYTES
            and len(self.blurhash) == BLURHASH_CHARACTERS
            and self.blurhash.isascii()
            and self.blurhash.isprintable()
        )
