"""Photographs that are nearly the same as one that is there: they keep their own original and show its files.

The index finds what may be the same, and a look at pixels decides (docs/adr/0032). Only contents whose files are their
own are in it, so that a picture never stands for one that is like one that is like it. What stands for another has at
least as many pixels, or somebody's photograph would come out smaller than it went in.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from photolog.engines.object_store import ObjectAbsent
from projections.media import MEDIA, MediaRow
from projections.tables import R, RowKey
from transcode.contents.holding import Contents
from transcode.contents.port import Base, Content, ContentRow
from transcode.fingerprints.nearest import Near
from transcode.fingerprints.same_picture import same_picture
from transcode.fingerprints.thumbprint import Thumbprint
from transcode.plan import Made, thumbprint_key

CANDIDATES_MAX = 8
"""Contents that are looked at, the nearest first; what many pictures are near to has few details."""


class Index(Protocol):
    """The part of `transcode.fingerprints.nearest.NearestIndex` that is needed."""

    def near(self, fingerprint: int) -> list[Near]:
        """Whatever is near, the nearest first."""


class Records(Protocol):
    """The part of `projections.stores.port.RowStore` that is needed."""

    async def get_many(self, keys: Sequence[RowKey[R]]) -> list[R | None]:
        """Some rows."""


class Thumbprints(Protocol):
    """The part of `photolog.engines.object_store.ObjectStore` that is needed."""

    async def get(self, key: str) -> bytes:
        """A whole object. Raises ObjectAbsent."""


class NearPhotographs:
    """Looks for the content whose files a photograph may show.

    Args:
        index: the fingerprints of contents.
        rows: media records.
        objects: holds their thumbprints.
        contents: who holds what.
    """

    def __init__(self, index: Index, rows: Records, objects: Thumbprints, contents: Contents) -> None:
        self._index = index
        self._rows = rows
        self._objects = objects
        self._contents = contents

    async def base_of(self, made: Made, content: ContentRow) -> tuple[Base, Content] | None:
        """A content that is the same picture, held from now on; None where there is none.

        Args:
            made: what the photograph became.
            content: the photograph's own, which will hold the other.

        Raises:
            StoreUnavailable: a store did not answer.
            BadThumbprint: one was written by another version.
        """
        own = Thumbprint.unpacked(made.prints.thumbprint)
        for media in await self._candidates(made):
            if media.digest in (None, content.digest) or not await self._is_same(own, media.media_id):
                continue
            base = Base(media.digest, media.media_id)
            found = await self._contents.hold_base(base, content.digest)
            if found is not None:
                return base, found
        return None

    async def _candidates(self, made: Made) -> Sequence[MediaRow]:
        near = self._index.near(made.prints.phash)[:CANDIDATES_MAX]
        found = await self._rows.get_many([MEDIA.key(one.content_id) for one in near])
        return [
            media for media in found if media is not None and media.width >= made.width and media.height >= made.height
        ]

    async def _is_same(self, own: Thumbprint, content_id: int) -> bool:
        try:
            stored = await self._objects.get(thumbprint_key(content_id))
        except ObjectAbsent:
            return False  # it went, or is going
        return await asyncio.to_thread(same_picture, own, Thumbprint.unpacked(stored))
