"""The files of an account's media: those that are its own, and contents that it shares with whoever has the same."""

from collections.abc import AsyncIterator, Iterable

from leaving.resources import LeavingResources
from photolog.media.files import archive_prefix
from photolog.media.originals import content_prefix, original_key
from projections.media import MEDIA, MediaRow, stored_files

_ROWS_AT_ONCE = 200


class MediaFiles:
    """Finds them.

    Args:
        resources: the worker's.
    """

    def __init__(self, resources: LeavingResources) -> None:
        self._resources = resources

    async def holding(self, media_ids: Iterable[int]) -> AsyncIterator[MediaRow]:
        """The records among these that hold a content."""
        async for _, row in self._rows(media_ids):
            if row is not None and row.digest is not None and await self._holds(row):
                yield row

    async def own_keys(self, media_ids: Iterable[int]) -> AsyncIterator[str]:
        """What lies under the numbers of these records, archived or not, but for contents that were made for one of
        them: those are nobody's own, and go with the last who holds them."""
        async for media_id, row in self._rows(media_ids):
            made = () if row is not None and row.content_id == media_id else (content_prefix(media_id),)
            for prefix in (archive_prefix(media_id), *made):
                async for page in self._resources.objects.keys(prefix):
                    for key in page:
                        yield key

    async def named(self, media_ids: Iterable[int]) -> AsyncIterator[tuple[str, str]]:
        """Original and files of each record that holds a content: a name that tells nothing of others, and the key."""
        async for row in self.holding(media_ids):
            yield f"originals/{row.media_id}", original_key(row.content_id)
            for file in stored_files(row):
                yield f"{content_prefix(row.media_id)}{file.name}", file.object_key

    async def release(self, media_ids: Iterable[int]) -> None:
        """Let go of all contents; those that nobody else holds are removed."""
        async for row in self.holding(media_ids):
            await self._resources.contents.release(row.digest or "", row.media_id)

    async def _rows(self, media_ids: Iterable[int]) -> AsyncIterator[tuple[int, MediaRow | None]]:
        wanted = sorted(media_ids)
        for at in range(0, len(wanted), _ROWS_AT_ONCE):
            some = wanted[at : at + _ROWS_AT_ONCE]
            rows = await self._resources.rows.get_many([MEDIA.key(media_id) for media_id in some])
            for media_id, row in zip(some, rows, strict=True):
                yield media_id, row

    async def _holds(self, row: MediaRow) -> bool:
        return await self._resources.contents.holds(row.digest or "", row.media_id)
