"""Which files are made of a photograph, and where they live: pure, so that the gateway and the worker agree.

The bound is the *width*, because a feed is a column: `w640` fills the same column for a portrait and a panorama.
Nothing is ever scaled up. A source narrower than a rung keeps its own width there, so that every photograph has the
same seven names and a client needs no list.
"""

from enum import StrEnum

import msgspec

from photolog.media.originals import content_prefix
from photolog.media.thumbprints import THUMBPRINT
from transcode.fingerprints.prints import Prints

RUNGS_PX = (320, 640, 1080)

PRIMARY = "primary"
"""The variant that stands for the original, which may be a HEIC that few can show: a JPEG to make other sizes of."""

PRIMARY_PX = 2048
_PRIMARY_QUALITY = 90

SIDES_RATIO_MAX = 15
"""The longer side over the shorter. WebP ends at 16,383 pixels, which is 15.2 times the widest rung."""


class PhotoFormat(StrEnum):
    """How a variant is encoded."""

    JPEG = "jpeg"
    WEBP = "webp"


# WebP at 80 and JPEG at 85 look alike; WebP is then about half the size.
QUALITY = {PhotoFormat.JPEG: 85, PhotoFormat.WEBP: 80}


class Variant(msgspec.Struct, frozen=True):
    """One file to make. Width and height are pixels as shown, after the orientation was applied."""

    name: str
    format: PhotoFormat
    width: int
    height: int
    quality: int

    @property
    def content_type(self) -> str:
        """The media type it is served with."""
        return f"image/{self.format}"


class Made(msgspec.Struct, frozen=True, tag="made"):
    """What a photograph became: its size as shown, in pixels, each planned variant with its bytes, and its prints."""

    width: int
    height: int
    variants: tuple[tuple[Variant, bytes], ...]
    prints: Prints

    @property
    def follows_plan(self) -> bool:
        """Whether the variants are those that its size asks for, and the prints are such as they must be."""
        planned = variant_plan(self.width, self.height) if min(self.width, self.height) > 0 else ()
        return planned == tuple(variant for variant, _ in self.variants) and bool(planned) and self.prints.are_whole


def variant_plan(width: int, height: int) -> tuple[Variant, ...]:
    """The seven variants of a photograph, the primary first, then the widest rung.

    Args:
        width: pixels of the source as shown, at least 1.
        height: pixels of the source as shown, at least 1.
    """
    primary = Variant(
        PRIMARY, PhotoFormat.JPEG, min(PRIMARY_PX, width), _scaled_height(width, height, PRIMARY_PX), _PRIMARY_QUALITY
    )
    return primary, *(
        Variant(f"w{rung}.{form}", form, min(rung, width), _scaled_height(width, height, rung), QUALITY[form])
        for rung in sorted(RUNGS_PX, reverse=True)
        for form in PhotoFormat
    )


def has_extreme_shape(width: int, height: int) -> bool:
    """Whether one side is more than `SIDES_RATIO_MAX` times the other."""
    return max(width, height) > SIDES_RATIO_MAX * min(width, height)


def processed_key(content_id: int, name: str) -> str:
    """Where a file of a content lies; its number is that of the media record that it was made for."""
    return f"{content_prefix(content_id)}{name}"


def thumbprint_key(content_id: int) -> str:
    """Where a photograph's thumbprint lies: beside its variants, so that what removes them removes it too."""
    return processed_key(content_id, THUMBPRINT)


def clip_prints_key(content_id: int) -> str:
    """Where a video's prints lie, as a photograph's thumbprint does."""
    return processed_key(content_id, "clipprints")


def _scaled_height(width: int, height: int, rung: int) -> int:
    """Height at a rung, rounded half up, in integers so that every machine agrees."""
    if width <= rung:
        return height
    return max(1, (2 * height * rung + width) // (2 * width))
