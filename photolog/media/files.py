"""The files of a media record in the bucket: where they lie, and how they are removed."""

from collections.abc import AsyncIterator
from typing import Protocol

from photolog.media.originals import content_prefix, raw_key

ARCHIVE = "archive/"


def archive_prefix(media_id: int) -> str:
    """Where everything lies that is archived of a record."""
    return f"{ARCHIVE}{media_id}/"


class Objects(Protocol):
    """The part of `photolog.engines.object_store.ObjectStore` that is needed."""

    def keys(self, prefix: str) -> AsyncIterator[list[str]]:
        """The keys that begin with a prefix, a page at a time."""

    async def head(self, key: str) -> object | None:
        """What the bucket knows of an object, None where there is none."""

    async def delete(self, key: str) -> None:
        """Delete an object."""


class Contents(Protocol):
    """The part of `transcode.contents.holding.Contents` that is needed."""

    async def release(self, digest: str, holder: int) -> None:
        """Hold a content no more; with its last holder its files go."""


class Record(Protocol):
    """The part of `projections.media.MediaRow` that says where its files lie."""

    @property
    def media_id(self) -> int: ...
    @property
    def owner_id(self) -> int: ...
    @property
    def content_id(self) -> int: ...
    @property
    def digest(self) -> str | None: ...


class MediaFiles:
    """Removes files. Doing any of it again does the rest.

    Args:
        objects: the bucket.
        contents: what records share.
    """

    def __init__(self, objects: Objects, contents: Contents) -> None:
        self._objects = objects
        self._contents = contents

    async def remove(self, row: Record) -> int:
        """Remove all of a record's files; how many these were, but for those of a content.

        Raises:
            StoreUnavailable: the bucket, or the store of contents, did not answer.
        """
        removed = await self.remove_upload(row) + await self.remove_made(row)
        return removed + await self._remove_under(archive_prefix(row.media_id))

    async def remove_upload(self, row: Record) -> int:
        """Remove the upload as it came; how many files that were. Raises as `remove`."""
        key = raw_key(row.owner_id, row.media_id)
        if await self._objects.head(key) is None:
            return 0
        await self._objects.delete(key)
        return 1

    async def remove_made(self, row: Record) -> int:
        """Remove what was made of the upload, or let go of the content that is shared, whose last holder takes the
        files along. Raises as `remove`."""
        if row.content_id:
            await self._contents.release(row.digest or "", row.media_id)
            return 0
        return await self._remove_under(content_prefix(row.media_id))

    async def _remove_under(self, prefix: str) -> int:
        removed = 0
        async for page in self._objects.keys(prefix):
            for key in page:
                await self._objects.delete(key)
            removed += len(page)
        return removed
