"""Real photographs, those that ship with scikit-image, and what people do to photographs."""

import io
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files

import pyvips
from PIL import Image

from transcode.fingerprints.phash import phash_of_image
from transcode.fingerprints.prints import Prints
from transcode.fingerprints.thumbprint import Thumbprint
from transcode.sniff import PhotoType
from transcode.variants import in_srgb, make_variants

# In colour and in grey, near and far, sharp and smooth.
NAMES = (
    *("astronaut.png", "chelsea.png", "coffee.png", "hubble_deep_field.jpg", "ihc.png", "motorcycle_left.png"),
    *("retina.jpg", "rocket.jpg", "camera.png", "coins.png", "moon.png"),
)
IN_COLOUR = NAMES[:8]
WIDTH_PX = 1280
PIXELS_MAX = 100_000_000
Change = Callable[[Image.Image], Image.Image]


@lru_cache(maxsize=32)
def photograph(name: str, width_px: int = WIDTH_PX) -> Image.Image:
    """A photograph, so many pixels wide."""
    with Image.open(io.BytesIO((files("skimage") / "data" / name).read_bytes())) as source:
        picture = source.convert("RGB")
    return resized(picture, width_px)


def resized(picture: Image.Image, width_px: int, kernel: Image.Resampling = Image.Resampling.BICUBIC) -> Image.Image:
    """A picture of the same shape, so many pixels wide."""
    return picture.resize((width_px, round(picture.height * width_px / picture.width)), kernel)


def saved(picture: Image.Image, form: str = "JPEG", quality: int = 90, **options: object) -> bytes:
    """A picture's file."""
    buffer = io.BytesIO()
    picture.save(buffer, form, quality=quality, **options)
    return buffer.getvalue()


def prints_of(data: bytes) -> Prints:
    """The prints that an upload of a JPEG gets."""
    return make_variants(data, PhotoType.JPEG, PIXELS_MAX).prints


def likeness(data: bytes) -> tuple[int, Thumbprint]:
    """The hash and the thumbprint of a file of any form, on the way that uploads take from rung to rung."""
    image = pyvips.Image.new_from_buffer(data, "").copy_memory()
    size = image.width, image.height
    for width in (2048, 1080, 640, 320):
        if width < image.width:
            height = round(image.height * width / image.width)
            image = image.thumbnail_image(width, height=height, size="force").copy_memory()
    image = in_srgb(image)
    return phash_of_image(image), Thumbprint.of(image, *size)
