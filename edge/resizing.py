"""Making pictures to measure with libvips, a bounded number at once and a bounded number that wait.

The bytes are those of variants that the transcode worker wrote itself, so no sandbox stands around this.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pyvips

from edge import metrics
from edge.errors import UnreadableSource
from photolog.errors import Busy
from photolog.media.addresses import Fit, Picture, PictureFormat

RECIPE = 1
"""Part of every picture's ETag: to be raised when the same address is to give other bytes."""
_WHITE = 255
_JPEG_QUALITY = 82
_WEBP_QUALITY = 78
_WEBP_EFFORT = 2
_AVIF_QUALITY = 55
# Of 0..9: at 640 pixels, effort 1 made files 13 % smaller and took 2.6 times as long, 4 made them 22 % smaller in 27
# times as long. Somebody waits for this one.
_AVIF_EFFORT = 0


class Resizer:
    """Makes pictures.

    Args:
        at_once: how many are made at once, each in a thread of its own.
        waiting_max: how many may wait for one of these.
    """

    def __init__(self, at_once: int, waiting_max: int) -> None:
        # As many threads as pictures: one that libvips shared out among more would slow the others down.
        pyvips.concurrency_set(1)
        pyvips.cache_set_max(0)
        self._threads = ThreadPoolExecutor(at_once, "resize")
        self._under_way = 0
        self._under_way_max = at_once + waiting_max

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the places of those that are made or wait.

        Raises:
            Busy: there is none.
        """
        if self._under_way >= self._under_way_max:
            metrics.REFUSED.inc()
            raise Busy("edge-busy", "too many pictures are being made; try again")
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    async def make(self, source: bytes, picture: Picture) -> bytes:
        """The picture's file; to be asked for by who holds a place.

        Args:
            source: a stored file.
            picture: what to make of it; its format is not `AUTO`.

        Raises:
            UnreadableSource: the source is no picture.
        """
        with metrics.RESIZE_SECONDS.time():
            return await asyncio.get_running_loop().run_in_executor(self._threads, resized, source, picture)

    def close(self) -> None:
        """Begin no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def resized(source: bytes, picture: Picture) -> bytes:
    """A source made to measure; never larger than it is.

    Args:
        source: a JPEG, WebP or PNG file.
        picture: the box, the fit and the format, which is not `AUTO`.

    Raises:
        UnreadableSource: the source is no picture.
    """
    try:
        return _encoded(_fitted(source, picture), picture.format)
    except pyvips.Error as error:
        raise UnreadableSource(f"a picture of media {picture.media_id} cannot be made: {error}") from error


def _fitted(source: bytes, picture: Picture) -> pyvips.Image:
    width, height = picture.width, picture.height
    if picture.fit is Fit.CONTAIN:
        return pyvips.Image.thumbnail_buffer(source, width, height=height, size="down")
    header = pyvips.Image.new_from_buffer(source, "", access="sequential")
    if header.width < width or header.height < height:
        # A box that it does not fill is taken smaller, in its own proportion: the cut is the same, and nothing grows.
        scale = min(header.width / width, header.height / height)
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
    return pyvips.Image.thumbnail_buffer(source, width, height=height, crop="centre")


def _encoded(image: pyvips.Image, form: PictureFormat) -> bytes:
    match form:
        case PictureFormat.AVIF:
            return bytes(image.heifsave_buffer(compression="av1", Q=_AVIF_QUALITY, effort=_AVIF_EFFORT, keep="none"))
        case PictureFormat.WEBP:
            return bytes(image.webpsave_buffer(Q=_WEBP_QUALITY, effort=_WEBP_EFFORT, keep="none"))
        case PictureFormat.JPEG:
            opaque = image.flatten(background=_WHITE) if image.hasalpha() else image
            return bytes(opaque.jpegsave_buffer(Q=_JPEG_QUALITY, keep="none"))
    raise ValueError("what a reader takes best is to be known before a picture is made")
