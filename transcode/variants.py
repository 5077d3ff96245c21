"""Making the variants of one photograph. It parses hostile bytes, so it is to run inside `transcode.sandbox`."""

import pyvips

from transcode.errors import Reason, UnprocessableMedia
from transcode.heic import HEIC_ERRORS, HeicPicture
from transcode.plan import Made, PhotoFormat, Variant, has_extreme_shape, variant_plan
from transcode.sniff import HEAD_BYTES, PhotoType, detect

# Effort 2 of 0..6: on a 12-megapixel photograph, effort 4 made files 5 % smaller and took 2.6 times as long.
WEBP_EFFORT = 2

# Damage that only warns (a stray byte between markers) is shown as browsers show it; missing data is refused.
_FAIL_ON = "error"
_WHITE = 255
# As libvips, libjpeg and libheif put it.
_OUT_OF_MEMORY = ("out of memory", "insufficient memory", "memory allocation error")
# EXIF orientations that turn a picture by a quarter, so that width and height change places.
_QUARTER_TURNS = range(5, 9)


def make_variants(data: bytes, kind: PhotoType, pixels_max: int) -> Made:
    """Decode a photograph once and write its six variants.

    Orientation is applied, colours become sRGB, metadata is dropped. WebP keeps transparency; JPEG shows it on white.

    Args:
        data: the file.
        kind: the type that was declared; the bytes must agree.
        pixels_max: the most pixels that the source may have, judged before anything is decoded.

    Raises:
        UnprocessableMedia: the file is no photograph that we take; the reason says why.
    """
    _check_type(data, kind)
    try:
        return _made_from_heic(data, pixels_max) if kind is PhotoType.HEIC else _made_by_libvips(data, pixels_max)
    except (pyvips.Error, MemoryError, *HEIC_ERRORS) as error:
        raise UnprocessableMedia(_reason(error), str(error)[:500]) from error


def _check_type(data: bytes, kind: PhotoType) -> None:
    if not data:
        raise UnprocessableMedia(Reason.EMPTY)
    found = detect(data[:HEAD_BYTES])
    if found is None:
        raise UnprocessableMedia(Reason.NOT_AN_IMAGE)
    if found is not kind:
        raise UnprocessableMedia(Reason.MISLABELLED, f"declared {kind}, is {found}")


def _check_size(width: int, height: int, pixels_max: int) -> None:
    if width * height > pixels_max:
        raise UnprocessableMedia(Reason.TOO_MANY_PIXELS, f"{width}x{height}")
    if has_extreme_shape(width, height):
        raise UnprocessableMedia(Reason.EXTREME_SHAPE, f"{width}x{height}")


def _made_by_libvips(data: bytes, pixels_max: int) -> Made:
    header = pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on=_FAIL_ON)
    width, height = header.width, header.height
    if header.get_typeof("orientation") and header.get("orientation") in _QUARTER_TURNS:
        width, height = height, width
    _check_size(width, height, pixels_max)
    plan = variant_plan(width, height)
    # libvips shrinks while it decodes, and turns the picture when it is small.
    largest = pyvips.Image.thumbnail_buffer(
        data,
        plan[0].width,
        height=plan[0].height,
        size="force",
        output_profile="srgb",
        # Its own fail_on argument has no effect on buffers (libvips issue 5195); the loader's does.
        option_string=f"[fail_on={_FAIL_ON}]",
    )
    return Made(width, height, _written(largest.copy_memory(), plan))


def _made_from_heic(data: bytes, pixels_max: int) -> Made:
    picture = HeicPicture(data)
    _check_size(picture.width, picture.height, pixels_max)
    plan = variant_plan(picture.width, picture.height)
    largest = picture.decode().thumbnail_image(
        plan[0].width,
        height=plan[0].height,
        size="force",
        input_profile=picture.fallback_profile,
        output_profile="srgb",
    )
    return Made(picture.width, picture.height, _written(largest.copy_memory(), plan))


def _written(image: pyvips.Image, plan: tuple[Variant, ...]) -> tuple[tuple[Variant, bytes], ...]:
    """Encode the plan, widest first: each rung is scaled from the one above, which is small and in memory."""
    written: list[tuple[Variant, bytes]] = []
    encoded: dict[tuple[PhotoFormat, int, int], bytes] = {}
    for variant in plan:
        if (image.width, image.height) != (variant.width, variant.height):
            image = image.thumbnail_image(variant.width, height=variant.height, size="force").copy_memory()
        key = (variant.format, variant.width, variant.height)
        # A source narrower than two rungs has the same file on both.
        encoded[key] = encoded.get(key) or _encoded(image, variant)
        written.append((variant, encoded[key]))
    return tuple(written)


def _encoded(image: pyvips.Image, variant: Variant) -> bytes:
    if variant.format is PhotoFormat.WEBP:
        return bytes(image.webpsave_buffer(Q=variant.quality, effort=WEBP_EFFORT, keep="none"))
    opaque = image.flatten(background=_WHITE) if image.hasalpha() else image
    return bytes(opaque.jpegsave_buffer(Q=variant.quality, interlace=True, keep="none"))


def _reason(error: Exception) -> Reason:
    """Libraries say that memory ran out in words only, whatever their error type."""
    said = str(error).lower()
    ran_out = isinstance(error, MemoryError) or any(words in said for words in _OUT_OF_MEMORY)
    return Reason.TOO_MUCH_MEMORY if ran_out else Reason.DAMAGED
