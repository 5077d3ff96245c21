"""Making the variants of one photograph. It parses hostile bytes, so it is to run inside `transcode.sandbox`."""

import pyvips

from transcode.errors import Reason, UnprocessableMedia
from transcode.fingerprints.prints import Prints
from transcode.heic import HEIC_ERRORS, HeicPicture
from transcode.plan import PRIMARY, Made, PhotoFormat, Variant, has_extreme_shape, variant_plan
from transcode.sniff import HEAD_BYTES, PhotoType, detect

# Effort 2 of 0..6: on a 12-megapixel photograph, effort 4 made files 5 % smaller and took 2.6 times as long.
WEBP_EFFORT = 2

# Damage that only warns (a stray byte between markers) is shown as browsers show it; missing data is refused.
_FAIL_ON = "error"
_WHITE = 255
_PROFILE = "icc-profile-data"
_GREY_BANDS_MAX = 2  # the second is transparency
# As libvips, libjpeg and libheif put it.
_OUT_OF_MEMORY = ("out of memory", "insufficient memory", "memory allocation error")
# EXIF orientations that turn a picture by a quarter, so that width and height change places.
_QUARTER_TURNS = range(5, 9)


def make_variants(data: bytes, kind: PhotoType, pixels_max: int) -> Made:
    """Decode a photograph once, write its seven variants and take its prints.

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
    return _made(width, height, _shown(data, header, plan[0]), plan)


def _made_from_heic(data: bytes, pixels_max: int) -> Made:
    picture = HeicPicture(data)
    _check_size(picture.width, picture.height, pixels_max)
    plan = variant_plan(picture.width, picture.height)
    pixels = picture.decode()
    image = pixels.thumbnail_image(plan[0].width, height=plan[0].height, size="force")
    return _made(picture.width, picture.height, in_srgb(image, picture.fallback_profile), plan)


def _shown(data: bytes, header: pyvips.Image, size: Variant) -> pyvips.Image:
    """A file's pixels at a size, upright and in sRGB. libvips shrinks while it decodes, and turns the picture when it
    is small."""
    has_ink = header.interpretation == "cmyk"
    image = pyvips.Image.thumbnail_buffer(
        data,
        size.width,
        height=size.height,
        size="force",
        # Its own fail_on argument has no effect on buffers (libvips issue 5195); the loader's does.
        option_string=f"[fail_on={_FAIL_ON}]",
        # Ink becomes light before anything is scaled. Other colours do so when there are fewer of them: for those of a
        # 12-megapixel photograph libvips takes longer than for all else that is done here.
        **({"output_profile": "srgb"} if has_ink else {}),
    )
    return image if has_ink else in_srgb(image)


def in_srgb(image: pyvips.Image, fallback_profile: str = "srgb") -> pyvips.Image:
    """A picture's colours as sRGB of 8 bits, by its own profile where that can be read, else by another.

    Args:
        image: of RGB or grey, with or without transparency.
        fallback_profile: what its colours are where it carries no profile, or a broken one.
    """
    if image.get_typeof(_PROFILE) or fallback_profile != "srgb":
        image = image.icc_transform("srgb", embedded=True, input_profile=fallback_profile, depth=8)
    return image if image.bands > _GREY_BANDS_MAX else image.colourspace("srgb")


def _made(width: int, height: int, image: pyvips.Image, plan: tuple[Variant, ...]) -> Made:
    """Encode the plan, widest first: each rung is scaled from the one above, which is small and in memory.

    The prints are of the narrowest, which every photograph comes to on the same way.
    """
    image = image.copy_memory()
    written: list[tuple[Variant, bytes]] = []
    encoded: dict[tuple[PhotoFormat, int, int, int], bytes] = {}
    for variant in plan:
        if (image.width, image.height) != (variant.width, variant.height):
            image = image.thumbnail_image(variant.width, height=variant.height, size="force").copy_memory()
        key = (variant.format, variant.width, variant.height, variant.quality)
        # A source narrower than two rungs has the same file on both.
        encoded[key] = encoded.get(key) or _encoded(image, variant)
        written.append((variant, encoded[key]))
    return Made(width, height, tuple(written), Prints.of(_opaque(image), width, height))


def _encoded(image: pyvips.Image, variant: Variant) -> bytes:
    if variant.format is PhotoFormat.WEBP:
        return bytes(image.webpsave_buffer(Q=variant.quality, effort=WEBP_EFFORT, keep="none"))
    # Programs read the primary, where what is shown first is of no use; unscrambling it would cost them time.
    interlace = variant.name != PRIMARY
    return bytes(_opaque(image).jpegsave_buffer(Q=variant.quality, interlace=interlace, keep="none"))


def _opaque(image: pyvips.Image) -> pyvips.Image:
    return image.flatten(background=_WHITE) if image.hasalpha() else image


def _reason(error: Exception) -> Reason:
    """Libraries say that memory ran out in words only, whatever their error type."""
    said = str(error).lower()
    ran_out = isinstance(error, MemoryError) or any(words in said for words in _OUT_OF_MEMORY)
    return Reason.TOO_MUCH_MEMORY if ran_out else Reason.DAMAGED
