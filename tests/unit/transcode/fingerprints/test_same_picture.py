"""The same photograph again, or another one that looks like it: on real photographs and what people do to them."""

import io
from collections.abc import Callable

import numpy as np
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance, ImageFont

from tests.unit.transcode.fingerprints.photographs import NAMES, likeness, photograph, resized, saved
from transcode.fingerprints.same_picture import LIMITS, difference, same_picture
from transcode.fingerprints.thumbprint import Thumbprint

Kernel = Image.Resampling


def thumbprint(picture: Image.Image | bytes) -> Thumbprint:
    return likeness(picture if isinstance(picture, bytes) else saved(picture))[1]


def captioned(picture: Image.Image, words: str, height: float, alpha: int = 255) -> Image.Image:
    """White letters with a black rim, as captions have them, so many of the picture's height tall."""
    layer = Image.new("RGBA", picture.size)
    font = ImageFont.load_default(size=max(8, round(picture.height * height)))
    place = (picture.width * 0.3, picture.height * 0.8)
    rim = max(1, round(picture.height * height / 12))
    ink, edge = (255, 255, 255, alpha), (0, 0, 0, alpha)
    ImageDraw.Draw(layer).text(place, words, fill=ink, stroke_fill=edge, stroke_width=rim, font=font)
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def with_sticker(picture: Image.Image, width: float) -> Image.Image:
    """A yellow disc with a black rim, so many of the picture's width across."""
    marked, radius = picture.copy(), picture.width * width / 2
    x, y = picture.width * 0.55, picture.height * 0.45
    box = (x - radius, y - radius, x + radius, y + radius)
    ImageDraw.Draw(marked).ellipse(box, fill=(250, 210, 40), outline=(0, 0, 0), width=max(1, round(radius / 6)))
    return marked


def cropped(picture: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    """Without so much of each side, and as large as before."""
    width, height = picture.size
    box = (width * left, height * top, width * (1 - right), height * (1 - bottom))
    return picture.resize(picture.size, Kernel.LANCZOS, box=box)


def framed(picture: Image.Image, x_px: int, y_px: int) -> Image.Image:
    """What a camera sees that points so far aside, without a margin of 40 pixels."""
    box = (40 + x_px, 40 + y_px, picture.width - 40 + x_px, picture.height - 40 + y_px)
    return picture.crop(box)


def turned(picture: Image.Image, degrees: float) -> Image.Image:
    """What a camera sees that is held so askew."""
    return framed(picture.rotate(degrees, Kernel.BICUBIC), 0, 0)


def noisy(picture: Image.Image, sigma: float) -> Image.Image:
    noise = np.random.default_rng(7).normal(0, sigma, (picture.height, picture.width, 3))
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


def in_display_p3(picture: Image.Image) -> bytes:
    """The same colours, in numbers of a wider space and with its profile."""
    pixels = pyvips.Image.new_from_memory(picture.tobytes(), *picture.size, 3, "uchar").copy(interpretation="srgb")
    return bytes(pixels.icc_transform("p3", input_profile="srgb").jpegsave_buffer(Q=90))


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def picture(name: str) -> Image.Image:
    """As it was uploaded first: encoded once, since nobody has the light itself."""
    return Image.open(io.BytesIO(saved(photograph(name), quality=92))).convert("RGB")


@pytest.fixture(scope="module")
def original(picture: Image.Image) -> Thumbprint:
    return thumbprint(saved(picture, quality=92))


AGAIN: dict[str, Callable[[Image.Image], bytes]] = {
    "JPEG of quality 50": lambda picture: saved(picture, quality=50),
    "JPEG of quality 95": lambda picture: saved(picture, quality=95),
    "WebP of quality 75": lambda picture: saved(picture, "WEBP", quality=75),
    "320 wide": lambda picture: saved(resized(picture, 320, Kernel.LANCZOS), quality=85),
    "320 wide by means": lambda picture: saved(resized(picture, 320, Kernel.BOX), quality=85),
    "480 wide, smooth": lambda picture: saved(resized(picture, 480, Kernel.BILINEAR), quality=70),
    "2000 wide": lambda picture: saved(resized(picture, 2000), quality=85),
    "sent on twice": lambda picture: saved(reopened(saved(resized(picture, 720), quality=70)), quality=70),
    "Display P3": in_display_p3,
    "full colour": lambda picture: saved(picture, quality=85, subsampling=0),
}
OTHERWISE: dict[str, Callable[[Image.Image], Image.Image]] = {
    "2 % cropped at one side": lambda picture: cropped(picture, 0, 0, 0.02, 0),
    "2 % cropped all around": lambda picture: cropped(picture, 0.01, 0.01, 0.01, 0.01),
    "a caption": lambda picture: captioned(picture, "look at this", 0.06),
    "a small caption": lambda picture: captioned(picture, "look at this", 0.025),
    "a watermark": lambda picture: captioned(picture, "(c) somebody", 0.04, alpha=110),
    "a sticker": lambda picture: with_sticker(picture, 0.05),
    "a small sticker": lambda picture: with_sticker(picture, 0.02),
    "mirrored": lambda picture: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "brighter by 5 %": lambda picture: ImageEnhance.Brightness(picture).enhance(1.05),
    "darker by 5 %": lambda picture: ImageEnhance.Brightness(picture).enhance(0.95),
    "more contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(1.06),
}
BURST: dict[str, Callable[[Image.Image], Image.Image]] = {
    "two pixels aside": lambda picture: framed(picture, 2, 1),
    "five pixels down": lambda picture: framed(picture, 0, 5),
    "turned a little": lambda picture: turned(picture, 0.3),
    "moved, with other noise": lambda picture: noisy(framed(picture, 2, -2), 4),
    "exposed longer": lambda picture: ImageEnhance.Brightness(framed(picture, 0, 0)).enhance(1.05),
}


def reopened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


@pytest.mark.parametrize("change", AGAIN.values(), ids=AGAIN)
def test_the_same_photograph_again_is_the_same(
    picture: Image.Image, original: Thumbprint, change: Callable[[Image.Image], bytes]
) -> None:
    again = thumbprint(change(picture))
    assert same_picture(original, again), difference(original, again)
    assert same_picture(again, original)


@pytest.mark.parametrize("change", OTHERWISE.values(), ids=OTHERWISE)
def test_a_photograph_that_was_changed_is_another(
    picture: Image.Image, original: Thumbprint, change: Callable[[Image.Image], Image.Image]
) -> None:
    changed = thumbprint(change(picture))
    assert not same_picture(original, changed), difference(original, changed)
    assert not same_picture(changed, original)


@pytest.mark.parametrize("change", BURST.values(), ids=BURST)
def test_the_next_shot_of_a_burst_is_another(
    picture: Image.Image, change: Callable[[Image.Image], Image.Image]
) -> None:
    first, second = thumbprint(framed(picture, 0, 0)), thumbprint(change(picture))
    assert not same_picture(first, second), difference(first, second)


def test_a_meme_with_other_words_is_another(picture: Image.Image) -> None:
    memes = [thumbprint(captioned(picture, words, 0.08)) for words in ("WHEN THE LOG IS", "WHEN THE DOG IS")]
    assert not same_picture(*memes), difference(*memes)


def test_two_views_of_one_scene_are_two_photographs() -> None:
    left, right = thumbprint(photograph("motorcycle_left.png")), thumbprint(photograph("motorcycle_right.png"))
    assert not same_picture(left, right)


def test_another_shape_is_another_picture() -> None:
    grey = Image.new("RGB", (1000, 800), (90, 90, 90))
    assert not same_picture(thumbprint(grey), thumbprint(grey.resize((1000, 790))))
    assert same_picture(thumbprint(grey), thumbprint(grey.resize((333, 266))))


def test_a_tint_alone_is_a_change() -> None:
    # Two colours of equal luma, so that nothing but colour tells them apart.
    one, other = (Image.new("RGB", (400, 300), colour) for colour in ((120, 100, 100), (100, 110, 102)))
    assert not same_picture(thumbprint(one), thumbprint(other))


@settings(max_examples=25, deadline=None)
@given(st.integers(30, 95), st.integers(320, 1600), st.sampled_from(["JPEG", "WEBP"]))
def test_no_quality_and_width_makes_another_of_it(quality: int, width_px: int, form: str) -> None:
    picture = photograph("astronaut.png")
    again = saved(resized(picture, width_px, Kernel.LANCZOS), form, quality=max(50, quality))
    found = difference(thumbprint(picture), thumbprint(again))
    assert all(getattr(found, name) <= getattr(LIMITS, name) for name in LIMITS.__slots__), found


@settings(max_examples=25, deadline=None)
@given(st.floats(0.03, 0.9), st.floats(0.05, 0.9), st.floats(0.03, 0.1), st.integers(0, 255))
def test_no_patch_is_so_small_or_so_placed_that_it_passes(x: float, y: float, side: float, shade: int) -> None:
    """A patch of one shade, three percent of the width at least, that differs from what it covers."""
    picture = photograph("astronaut.png")
    side_px = round(side * picture.width)
    left, top = round(x * (picture.width - side_px)), round(y * (picture.height - side_px))
    box = (left, top, left + side_px, top + side_px)
    under = np.asarray(picture.crop(box).convert("L"), dtype=float)
    patched = picture.copy()
    patched.paste((shade, shade, shade), box)
    seen = abs(float(under.mean()) - shade) > 25
    assert not seen or not same_picture(thumbprint(picture), thumbprint(patched))
