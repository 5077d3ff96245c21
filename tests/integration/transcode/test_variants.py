"""What is made of good pictures: upright, sRGB, without metadata."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms, JpegImagePlugin

from tests.unit.transcode import pictures
from tests.unit.transcode.pictures import BLUE, GREEN, RED, YELLOW, Colour, corners, exif, heic, jpeg, png, quarters
from transcode.plan import Made
from transcode.sniff import PhotoType
from transcode.variants import make_variants

PIXELS_MAX = 100_000_000
UPRIGHT = (RED, GREEN, BLUE, YELLOW)
ORIENTATIONS = range(1, 9)


def made(data: bytes, kind: PhotoType) -> Made:
    return make_variants(data, kind, PIXELS_MAX)


def files(result: Made) -> dict[str, bytes]:
    return {variant.name: data for variant, data in result.variants}


def assert_shows(data: bytes, expected: tuple[Colour, ...], tolerance: int = 8) -> None:
    found = corners(data)
    far = max(abs(a - b) for one, other in zip(found, expected, strict=True) for a, b in zip(one, other, strict=True))
    assert far <= tolerance, f"{found} instead of {expected}"


@pytest.mark.parametrize("kind", PhotoType)
def test_every_type_becomes_seven_files_that_show_the_picture(kind: PhotoType) -> None:
    result = made(pictures.encoded(quarters(1600, 1200), kind), kind)
    assert (result.width, result.height) == (1600, 1200)
    assert result.follows_plan
    for variant, data in result.variants:
        picture = Image.open(io.BytesIO(data))
        assert (picture.format, picture.size) == (variant.format.upper(), (variant.width, variant.height))
        assert_shows(data, UPRIGHT)


def test_jpegs_are_progressive_with_the_tables_of_quality_85() -> None:
    reference = Image.open(io.BytesIO(pictures.saved(quarters(64, 64), "JPEG", quality=85)))
    assert isinstance(reference, JpegImagePlugin.JpegImageFile)
    for name, data in files(made(jpeg(quarters()), PhotoType.JPEG)).items():
        if name.endswith(".jpeg"):
            picture = Image.open(io.BytesIO(data))
            assert isinstance(picture, JpegImagePlugin.JpegImageFile)
            assert picture.info["progressive"]
            assert picture.quantization == reference.quantization


def test_a_narrow_source_is_not_scaled_up() -> None:
    result = files(made(png(quarters(500, 400)), PhotoType.PNG))
    assert Image.open(io.BytesIO(result["w1080.webp"])).size == (500, 400)
    assert result["w1080.webp"] == result["w640.webp"]
    assert Image.open(io.BytesIO(result["w320.webp"])).size == (320, 256)


def test_a_single_pixel_is_a_picture() -> None:
    assert made(png(Image.new("RGB", (1, 1), RED)), PhotoType.PNG).follows_plan


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_jpeg_is_shown_upright_whatever_its_orientation(orientation: int) -> None:
    stored = pictures.stored_for(quarters(), orientation)
    result = made(jpeg(stored, exif=exif(orientation)), PhotoType.JPEG)
    assert (result.width, result.height) == (1200, 900)
    for _, data in result.variants:
        assert_shows(data, UPRIGHT)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_heic_is_turned_once_though_it_says_so_twice(orientation: int) -> None:
    data = heic(pictures.stored_for(quarters(), orientation), exif=exif(orientation))
    assert (b"irot" in data or b"imir" in data) is (orientation != 1)
    result = made(data, PhotoType.HEIC)
    assert (result.width, result.height) == (1200, 900)
    assert_shows(files(result)["w640.jpeg"], UPRIGHT)


@pytest.mark.parametrize("kind", PhotoType)
def test_no_metadata_survives(kind: PhotoType) -> None:
    source = pictures.encoded(
        quarters(), kind, exif=exif(1), icc_profile=pictures.profile("p3"), xmp=b"<x:xmpmeta>SecretXmp</x:xmpmeta>"
    )
    assert b"SecretCamera" in source
    for _, data in made(source, kind).variants:
        assert set(Image.open(io.BytesIO(data)).info) <= {
            "jfif",
            "jfif_version",
            "jfif_unit",
            "jfif_density",
            "dpi",
        } | {*("progressive", "progression", "loop", "background", "timestamp", "duration")}
        for trace in (b"Secret", b"Exif", b"EXIF", b"ICC", b"xmp", b"XMP", b"8BIM"):
            assert trace not in data


@pytest.mark.parametrize("kind", PhotoType)
def test_a_wide_gamut_is_converted_to_srgb(kind: PhotoType) -> None:
    source = pictures.encoded(quarters(), kind, icc_profile=pictures.profile("p3"))
    assert_shows(files(made(source, kind))["w640.jpeg"], p3_colours_in_srgb())
    assert max(abs(a - b) for a, b in zip(p3_colours_in_srgb()[0], RED, strict=True)) > 10


def p3_colours_in_srgb() -> tuple[Colour, ...]:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(pictures.profile("p3")))
    converted = ImageCms.profileToProfile(quarters(64, 64), profile, ImageCms.createProfile("sRGB"))
    assert converted is not None
    return corners(png(converted))


@pytest.mark.parametrize("kind", PhotoType)
def test_adobe_rgb_is_converted_to_srgb(kind: PhotoType) -> None:
    source = pictures.encoded(quarters(), kind, icc_profile=pictures.adobe_rgb_profile())
    expected = tuple(adobe_rgb_in_srgb(colour) for colour in UPRIGHT)
    assert_shows(files(made(source, kind))["primary"], expected)
    assert max(abs(a - b) for a, b in zip(expected[0], RED, strict=True)) > 10


def adobe_rgb_in_srgb(colour: Colour) -> Colour:
    """By the definitions: Adobe RGB (1998) 4.3.5 and IEC 61966-2-1, which share their white."""
    linear = np.array(colour) / 255.0
    to_xyz = [[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]]
    of_xyz = [[3.24062, -1.53721, -0.49863], [-0.96893, 1.87576, 0.04152], [0.05571, -0.20402, 1.05699]]
    light = np.clip(np.array(of_xyz) @ np.array(to_xyz) @ linear ** (563 / 256), 0, 1)
    values = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    red, green, blue = (round(float(value)) for value in values)
    return red, green, blue


def test_a_cmyk_jpeg_shows_its_colours() -> None:
    source = jpeg(quarters().convert("CMYK"), icc_profile=pictures.profile("cmyk"))
    profile = ImageCms.ImageCmsProfile(io.BytesIO(pictures.profile("cmyk")))
    expected = ImageCms.profileToProfile(
        quarters(64, 64).convert("CMYK"),
        profile,
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
    )
    assert expected is not None
    assert_shows(files(made(source, PhotoType.JPEG))["primary"], corners(png(expected)))


def test_a_heic_may_name_its_gamut_without_a_profile() -> None:
    source = pictures.heic_of_primaries(quarters(), 12)
    assert_shows(files(made(source, PhotoType.HEIC))["w640.jpeg"], p3_colours_in_srgb())


def test_a_profile_that_is_garbage_is_passed_over() -> None:
    source = jpeg(quarters(), icc_profile=b"not a profile" * 20)
    assert_shows(files(made(source, PhotoType.JPEG))["w640.webp"], UPRIGHT)


def test_cmyk_becomes_rgb() -> None:
    data = files(made(jpeg(quarters().convert("CMYK")), PhotoType.JPEG))["w640.jpeg"]
    assert Image.open(io.BytesIO(data)).mode == "RGB"
    red, green, blue, _ = corners(data)
    assert red[0] == max(red)
    assert green[1] == max(green)
    assert blue[2] == max(blue)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "RGBA"])
def test_every_pixel_layout_of_png_is_taken(mode: str) -> None:
    grey = tuple((value, value, value) for value in (0, 255, 0, 255))
    picture = Image.new("L", (800, 600), 0)
    picture.paste(255, (400, 0, 800, 600))
    for _, data in made(png(picture.convert(mode)), PhotoType.PNG).variants:
        assert_shows(data, grey)


def test_the_primary_is_a_jpeg_of_quality_90_and_at_most_2048_wide() -> None:
    reference = Image.open(io.BytesIO(pictures.saved(quarters(64, 64), "JPEG", quality=90)))
    assert isinstance(reference, JpegImagePlugin.JpegImageFile)
    primary = Image.open(io.BytesIO(files(made(heic(quarters(3000, 2000)), PhotoType.HEIC))["primary"]))
    assert isinstance(primary, JpegImagePlugin.JpegImageFile)
    assert (primary.size, primary.quantization) == ((2048, 1365), reference.quantization)


def test_sixteen_bits_a_sample_become_eight() -> None:
    assert_shows(files(made(pictures.deep_png(quarters()), PhotoType.PNG))["w640.jpeg"], UPRIGHT)


@pytest.mark.parametrize(("encode", "kind"), [(png, PhotoType.PNG), (heic, PhotoType.HEIC)])
def test_transparency_stays_in_webp_and_is_white_in_jpeg(encode: type, kind: PhotoType) -> None:
    picture = quarters().convert("RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 600, 450))
    result = files(made(encode(picture), kind))
    assert_shows(result["w640.jpeg"], ((255, 255, 255), GREEN, BLUE, YELLOW))
    alpha = Image.open(io.BytesIO(result["w640.webp"])).getchannel("A")
    assert (alpha.getpixel((100, 100)), alpha.getpixel((500, 100))) == (0, 255)
