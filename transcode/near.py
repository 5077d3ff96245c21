"""Uploads that are nearly the same as one that is there: they keep their own original and show its files.

The index finds what may be the same, and a look at pixels decides (docs/adr/0032). Only contents whose files are their
own are in it, so that a picture never stands for one that is like one that is like it. What stands for another has at
least as many pixels, or somebody's photograph would come out smaller than it went in.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from photolog.engines.object_store import ObjectAbsent
from projections.media import MEDIA, MediaRow
from projections.tables import R, RowKey
from transcode.clip_prints import ClipPrints, same_clip
from transcode.contents.holding import Contents
from transcode.contents.port import Base, Content, ContentRow
from transcode.fingerprints.clips import keys
from transcode.fingerprints.nearest import Near
from transcode.fingerprints.same_picture import same_picture
from transcode.fingerprints.thumbprint import Thumbprint
from transcode.made_video import MadeVideo
from transcode.plan import Made, clip_prints_key, thumbprint_key

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


class NearFiles:
    """Looks for the content whose files an upload may show.

    Args:
        photographs: the fingerprints of photographs.
        videos: those of videos, each with several.
        rows: media records.
        objects: holds their thumbprints.
        contents: who holds what.
    """

    def __init__(
        self, photographs: Index, videos: Index, rows: Records, objects: Thumbprints, contents: Contents
    ) -> None:
        self._photographs = photographs
        self._videos = videos
        self._rows = rows
        self._objects = objects
        self._contents = contents

    async def photograph(self, made: Made, content: ContentRow) -> tuple[Base, Content] | None:
        """A content that is the same picture, held from now on; None where there is none.

        Args:
            made: what the photograph became.
            content: the photograph's own, which will hold the other.

        Raises:
            StoreUnavailable: a store did not answer.
            BadThumbprint: one was written by another version.
        """
        own = Thumbprint.unpacked(made.prints.thumbprint)

        def is_same(stored: bytes) -> bool:
            return same_picture(own, Thumbprint.unpacked(stored))

        near = [one.content_id for one in self._photographs.near(made.prints.phash)[:CANDIDATES_MAX]]
        found = await self._large_enough(near, "photo", made.width, made.height)
        return await self._held(found, content, thumbprint_key, is_same)

    async def video(self, made: MadeVideo, content: ContentRow) -> tuple[Base, Content] | None:
        """A content that looks and sounds the same, as `photograph`."""
        clip = made.prints.clip
        votes = Counter(one.content_id for key in keys(clip) for one in self._videos.near(key))
        near = [content_id for content_id, _ in votes.most_common(CANDIDATES_MAX)]

        def is_same(stored: bytes) -> bool:
            return same_clip(made.prints, ClipPrints.unpacked(stored))

        found = await self._large_enough(near, "video", made.plan.width, made.plan.height)
        return await self._held(found, content, clip_prints_key, is_same)

    async def _large_enough(self, near: Sequence[int], kind: str, width: int, height: int) -> list[MediaRow]:
        found = await self._rows.get_many([MEDIA.key(content_id) for content_id in near])
        return [
            media
            for media in found
            if media is not None and media.kind == kind and media.width >= width and media.height >= height
        ]

    async def _held(
        self,
        candidates: Sequence[MediaRow],
        content: ContentRow,
        prints_key: Callable[[int], str],
        is_same: Callable[[bytes], bool],
    ) -> tuple[Base, Content] | None:
        """The first that is the same, once it is held."""
        for media in candidates:
            if media.digest in (None, content.digest):
                continue
            try:
                stored = await self._objects.get(prints_key(media.media_id))
            except ObjectAbsent:
                continue  # it went, or is going
            base = Base(media.digest, media.media_id)
            if await asyncio.to_thread(is_same, stored):
                found = await self._contents.hold_base(base, content.digest)
                if found is not None:
                    return base, found
        return None
