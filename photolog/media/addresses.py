"""The addresses of pictures and files at the edge, as text and as data.

`/media/{media_id}/{width}x{height}/{fit}.{format}` is a picture made to measure, `/media/{media_id}/file/{name}` a
stored file as it is. An address names a media record and never content, so that no link reveals that another account
holds the same picture. Each has one spelling only, so that a cache holds it once.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

SIDE_PX_MAX = 4_096
NAME_CHARACTERS_MAX = 200
_ID = r"[1-9][0-9]{0,18}"
_SIDE = r"[1-9][0-9]{0,3}"
_WORD = r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*"
_PICTURE = re.compile(rf"/media/({_ID})/({_SIDE})x({_SIDE})/(cover|contain)\.(avif|webp|jpeg|auto)")
_FILE = re.compile(rf"/media/({_ID})/file/({_WORD}(?:/{_WORD})*)")


class Fit(StrEnum):
    """How a picture fills its box. Neither ever enlarges it."""

    COVER = "cover"
    """the whole box, and what stands out of it is cut off on both sides"""
    CONTAIN = "contain"
    """as large as fits inside the box, whole"""


class PictureFormat(StrEnum):
    """What a picture is encoded as; `AUTO` is what its reader takes best."""

    AVIF = "avif"
    WEBP = "webp"
    JPEG = "jpeg"
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture made to measure. Width and height are the box, in pixels."""

    media_id: int
    width: int
    height: int
    fit: Fit
    format: PictureFormat

    @property
    def path(self) -> str:
        """Its address, without the edge's own."""
        return f"/media/{self.media_id}/{self.width}x{self.height}/{self.fit}.{self.format}"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A stored file of a media record, by the name that the record lists it under, which may hold `/`."""

    media_id: int
    name: str

    @property
    def path(self) -> str:
        """Its address, without the edge's own."""
        return f"/media/{self.media_id}/file/{self.name}"


def parse_address(path: str) -> Picture | StoredFile | None:
    """What a path, as it came and not unescaped, is the address of; None where it is none."""
    if picture := _PICTURE.fullmatch(path):
        media_id, width, height = (int(part) for part in picture.groups()[:3])
        if max(width, height) > SIDE_PX_MAX:
            return None
        return Picture(media_id, width, height, Fit(picture[4]), PictureFormat(picture[5]))
    if (file := _FILE.fullmatch(path)) and len(file[2]) <= NAME_CHARACTERS_MAX:
        return StoredFile(int(file[1]), file[2])
    return None
