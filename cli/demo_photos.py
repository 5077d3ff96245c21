"""The demo's photographs: crops of those that ship with scikit-image, encoded in memory. No network."""

import io
from functools import lru_cache
from importlib.resources import files

import pillow_heif
from PIL import Image

from cli.demo_world import PhotoForm, Photograph

CONTENT_TYPES: dict[PhotoForm, str] = {"jpeg": "image/jpeg", "png": "image/png", "heic": "image/heic"}
_JPEG_QUALITY = 90
_ORIENTATION_TAG = 0x0112  # Exif 2.3: how a viewer turns the picture
_TURN_LEFT = 8


def render(photograph: Photograph) -> bytes:
    """The file of a planned photograph; the same plan gives the same picture.

    A JPEG is stored turned by a quarter, with the Exif tag that says so and a camera's name, as telephones do: what
    the platform makes of it must stand upright, and know nothing of the camera.
    """
    whole = _source(photograph.source)
    left, top, right, bottom = photograph.crop
    box = (whole.width * left, whole.height * top, whole.width * right, whole.height * bottom)
    scale = photograph.long_side_px / max(box[2] - box[0], box[3] - box[1])
    size = (round((box[2] - box[0]) * scale), round((box[3] - box[1]) * scale))
    picture = whole.resize(size, Image.Resampling.BICUBIC, box=box)
    return _encoded(picture, photograph.form)


def shown_size(photograph: Photograph) -> tuple[int, int]:
    """Width and height in pixels of a planned photograph as it must be shown."""
    whole = _source(photograph.source)
    left, top, right, bottom = photograph.crop
    width, height = whole.width * (right - left), whole.height * (bottom - top)
    scale = photograph.long_side_px / max(width, height)
    return round(width * scale), round(height * scale)


def _encoded(picture: Image.Image, form: PhotoForm) -> bytes:
    buffer = io.BytesIO()
    match form:
        case "jpeg":
            exif = Image.Exif()
            exif[_ORIENTATION_TAG] = _TURN_LEFT
            exif[0x010F] = "photolog demo camera"
            picture.transpose(Image.Transpose.ROTATE_270).save(buffer, "JPEG", quality=_JPEG_QUALITY, exif=exif)
        case "png":
            picture.save(buffer, "PNG", compress_level=1)
        case "heic":
            pillow_heif.from_pillow(picture).save(buffer, quality=60, enc_params={"preset": "ultrafast"})
    return buffer.getvalue()


@lru_cache(maxsize=32)
def _source(name: str) -> Image.Image:
    data = (files("skimage") / "data" / name).read_bytes()
    return Image.open(io.BytesIO(data)).convert("RGB")
