"""HEIC decoding by libheif, because the libvips build that pip installs has no HEVC decoder."""

from typing import Any, cast

import pillow_heif
import pyvips

from transcode.errors import Reason, UnprocessableMedia

# libheif would start four threads for a picture, and read previews that nobody asked for.
pillow_heif.options.DECODE_THREADS = 1
pillow_heif.options.THUMBNAILS = False
pillow_heif.options.DEPTH_IMAGES = False
pillow_heif.options.AUX_IMAGES = False

# Pillow mode: bands, libvips format, libvips interpretation. Colour comes as 8 bits; only grey may come as 16.
_PIXELS = {
    "L": (1, "uchar", "b-w"),
    "LA": (2, "uchar", "b-w"),
    "RGB": (3, "uchar", "srgb"),
    "RGBA": (4, "uchar", "srgb"),
    "I;16": (1, "ushort", "grey16"),
}
# Colour primaries of ITU-T H.273 as profiles that libvips has built in. A picture without an ICC profile may name them.
_BUILT_IN_PROFILES = {12: "p3"}

# What pillow-heif documents for input that it cannot decode.
HEIC_ERRORS = (ValueError, EOFError, SyntaxError, RuntimeError, OSError)


class HeicPicture:
    """The primary picture of a HEIC file. Opening reads boxes only; `decode` reads pixels.

    Width and height are as shown: libheif applies the file's own rotation and mirroring, which is the only
    orientation that HEIF (ISO/IEC 23008-12) lets count. An EXIF orientation beside it is a copy and must not turn
    the picture a second time.

    Raises:
        UnprocessableMedia: the boxes cannot be read, or name pixels of an unknown layout.
    """

    def __init__(self, data: bytes) -> None:
        pictures = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
        self._picture = pictures[pictures.primary_index]
        if self._picture.mode not in _PIXELS:
            raise UnprocessableMedia(Reason.DAMAGED, f"pixel layout {self._picture.mode}")
        self.width, self.height = self._picture.size
        self._info = cast(dict[str, Any], self._picture.info)

    @property
    def fallback_profile(self) -> str:
        """The profile of pixels that carry none."""
        primaries = self._info.get("nclx_profile", {}).get("color_primaries")
        return _BUILT_IN_PROFILES.get(primaries, "srgb")

    def decode(self) -> pyvips.Image:
        """The pixels, with the ICC profile if the file has one and no other metadata."""
        pixels = self._picture.data
        if self._picture.size != (self.width, self.height):
            raise UnprocessableMedia(Reason.DAMAGED, f"decoded to {self._picture.size}")
        bands, form, interpretation = _PIXELS[self._picture.mode]
        image = pyvips.Image.new_from_memory(pixels, self.width, self.height, bands, form)
        image = image.copy(interpretation=interpretation)
        profile = self._info.get("icc_profile")
        if profile:
            image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
        return image
