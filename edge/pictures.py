"""One picture made: its source read, its file written. However many ask for it at once, it is made once."""

from dataclasses import dataclass

from edge.collapsing import Collapsing
from edge.resizing import Resizer
from edge.sources import Sources
from photolog.media.addresses import Picture
from schemas.events import MediaVariant


@dataclass(frozen=True, slots=True)
class PictureJob:
    """What to make.

    Args:
        picture: the picture; its format is not `AUTO`.
        source: the stored file that it is made of.
    """

    picture: Picture
    source: MediaVariant


class Pictures:
    """Makes pictures.

    Args:
        sources: reads what they are made of.
        resizer: makes them.
    """

    def __init__(self, sources: Sources, resizer: Resizer) -> None:
        self._sources = sources
        self._resizer = resizer
        self._collapsing: Collapsing[PictureJob, bytes] = Collapsing(self._make)

    async def get(self, job: PictureJob) -> bytes:
        """The picture's file.

        Raises:
            Busy: too many are being made.
            StoreUnavailable: the bucket did not answer.
            UnreadableSource: its source is not there, or is no picture.
        """
        return await self._collapsing.get(job)

    async def _make(self, job: PictureJob) -> bytes:
        # Whoever is to be sent away is so before anything is read.
        with self._resizer.place():
            return await self._resizer.make(await self._sources.read(job.source), job.picture)
