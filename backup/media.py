"""Photographs: every object of the bucket that cannot be asked for again, copied once.

For a small system. A large one has its object store copy the bucket. Objects are listed in the order of their keys, as
S3 does; the listing that the backup has is walked beside it, so that only a page of each is in memory.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import fastavro
import msgspec

from backup.avro_files import checked, digest_of, rows_in, written
from backup.manifest import MediaFile
from backup.shelf import Shelf
from photolog.engines.object_store import ListedObject, ObjectHead, WholeObject
from photolog.errors import Limited, StoreUnavailable

MEDIA = "media/"
PREFIXES = ("archive/", "originals/", "processed/", "raw/")
"""Kinds of objects that are copied, in the order of their keys."""
OBJECT_BYTES_MAX = 256 << 20
ROWS_IN_FILE = 20_000
_AT_ONCE = 4
_LISTINGS = "listings/"
_SCHEMA: Any = fastavro.parse_schema(
    {
        "type": "record",
        "name": "Object",
        "namespace": "photolog.backup",
        "fields": [
            {"name": "key", "type": "string"},
            {"name": "etag", "type": "string"},
            {"name": "size_bytes", "type": "long"},
            {"name": "content_type", "type": "string"},
            {"name": "cache_control", "type": ["null", "string"]},
            {"name": "digest", "type": "string"},
        ],
    }
)


class CopiedObject(msgspec.Struct, frozen=True):
    """An object that is in the backup.

    Args:
        key: its key in the bucket.
        etag: the bucket's, which changes with its bytes.
        size_bytes: of it.
        content_type: as it is served.
        cache_control: the same; None for none.
        digest: of its bytes.
    """

    key: str
    etag: str
    size_bytes: int
    content_type: str
    cache_control: str | None
    digest: str

    @property
    def name(self) -> str:
        """The file that holds it."""
        return name_of(self.key, self.etag)


class Bucket(Protocol):
    """What is asked of `photolog.engines.object_store.ObjectStore`."""

    def listed(self, prefix: str) -> AsyncIterator[list[ListedObject]]:
        """Objects by key."""

    async def whole(self, key: str) -> WholeObject | None:
        """An object with what it is served with; None where there is none."""

    async def head(self, key: str) -> ObjectHead | None:
        """Size of an object."""

    async def put(self, key: str, data: bytes, content_type: str, cache_control: str | None = None) -> None:
        """Write an object whole."""


def name_of(key: str, etag: str) -> str:
    """The file of an object: the bytes under a key may change, those in a file never do."""
    return f"{MEDIA}{''.join(one for one in etag if one.isalnum() or one == '-')}/{key}"


class MediaCopying:
    """Copies the objects of a bucket that are not in the backup.

    Args:
        bucket: where from.
        shelf: where to.
        folder: the run's.
        report: is told how many objects more are in the backup.
        rows_in_file: how many are listed in one file.
    """

    def __init__(
        self,
        bucket: Bucket,
        shelf: Shelf,
        folder: str,
        report: Callable[[int], None],
        rows_in_file: int = ROWS_IN_FILE,
    ) -> None:
        self._bucket = bucket
        self._shelf = shelf
        self._folder = folder
        self._report = report
        self._rows_in_file = rows_in_file

    async def run(self, before: Sequence[MediaFile]) -> tuple[MediaFile, ...]:
        """Copy what is new; the listing of all.

        Args:
            before: the listing of the last backup.

        Raises:
            Limited: an object is too large.
            StoreUnavailable: run it again.
        """
        old = _Walk(objects_in(self._shelf, before))
        files: list[MediaFile] = []
        held: list[CopiedObject] = []
        for prefix in PREFIXES:
            last = ""
            async for page in self._bucket.listed(prefix):
                if any(one.key < other for one, other in zip(page, [last, *(one.key for one in page)], strict=False)):
                    raise StoreUnavailable(f"the bucket does not list {prefix} in the order of keys")
                last = page[-1].key if page else last
                held += await self._page([(one, await old.at(one.key)) for one in page])
                if len(held) >= self._rows_in_file:
                    files.append(await self._write(len(files), held))
                    held = []
        if held:
            files.append(await self._write(len(files), held))
        return tuple(files)

    async def _page(self, page: Sequence[tuple[ListedObject, CopiedObject | None]]) -> list[CopiedObject]:
        copied: list[CopiedObject | None] = []
        for start in range(0, len(page), _AT_ONCE):
            copied += await asyncio.gather(*(self._copy(*one) for one in page[start : start + _AT_ONCE]))
            self._report(min(_AT_ONCE, len(page) - start))
        return [one for one in copied if one is not None]

    async def _copy(self, listed: ListedObject, before: CopiedObject | None) -> CopiedObject | None:
        if before is not None and before.etag == listed.etag:
            return before
        if listed.size_bytes > OBJECT_BYTES_MAX:
            raise Limited(
                "object-too-large", f"{listed.key} has {listed.size_bytes} bytes: have the store copy the bucket"
            )
        found = await self._bucket.whole(listed.key)
        if found is None:
            # It was deleted meanwhile.
            return None
        copied = CopiedObject(
            listed.key, found.etag, len(found.data), found.content_type, found.cache_control, digest_of(found.data)
        )
        await self._shelf.put(copied.name, found.data)
        return copied

    async def _write(self, number: int, objects: Sequence[CopiedObject]) -> MediaFile:
        data = written(_SCHEMA, map(msgspec.to_builtins, objects), {})
        name = f"{_LISTINGS}{self._folder}/{number:06d}.avro"
        await self._shelf.put(name, data)
        size_bytes = sum(one.size_bytes for one in objects)
        return MediaFile(name, len(objects), size_bytes, digest_of(data))


@dataclass(slots=True)
class _Walk:
    """Goes through a listing beside another one."""

    objects: AsyncIterator[CopiedObject]
    present: CopiedObject | None = None
    ended: bool = False

    async def at(self, key: str) -> CopiedObject | None:
        """The object of this key, if it is listed; keys are asked for in their order."""
        while not self.ended and (self.present is None or self.present.key < key):
            self.present = await anext(self.objects, None)
            self.ended = self.present is None
        return self.present if self.present is not None and self.present.key == key else None


async def objects_in(shelf: Shelf, files: Sequence[MediaFile]) -> AsyncIterator[CopiedObject]:
    """The objects of a listing, in the order of their keys. Raises Corruption."""
    for file in files:
        for row in rows_in(file.name, checked(file.name, await shelf.get(file.name), file.file_digest)):
            yield msgspec.convert(row, CopiedObject)


async def clean_media(
    shelf: Shelf, before: Sequence[MediaFile], after: Sequence[MediaFile], *, broken_off: bool
) -> None:
    """Remove the objects that a listing does not name any more.

    Args:
        shelf: the backup.
        before: the listing of the backup before.
        after: the listing that counts.
        broken_off: whether a run may have left objects that no listing names.
    """
    if before != after:
        new = _Walk(objects_in(shelf, after))
        async for one in objects_in(shelf, before):
            kept = await new.at(one.key)
            if kept is None or kept.name != one.name:
                await shelf.delete(one.name)
    if broken_off:
        names = {one.name async for one in objects_in(shelf, after)}
        async for found in shelf.names(MEDIA):
            for name in set(found) - names:
                await shelf.delete(name)
    listings = {file.name for file in after}
    async for found in shelf.names(_LISTINGS):
        for name in set(found) - listings:
            await shelf.delete(name)


async def check_media(shelf: Shelf, files: Sequence[MediaFile], report: Callable[[int], None]) -> None:
    """Hold every object to its digest. Raises Corruption."""
    async for one in objects_in(shelf, files):
        checked(one.name, await shelf.get(one.name), one.digest)
        report(1)


async def restore_media(
    shelf: Shelf, bucket: Bucket, files: Sequence[MediaFile], report: Callable[[int], None]
) -> None:
    """Put back what is not there. Raises Corruption, StoreUnavailable; doing it again goes on."""
    async for one in objects_in(shelf, files):
        there = await bucket.head(one.key)
        if there is None or there.size_bytes != one.size_bytes:
            data = checked(one.name, await shelf.get(one.name), one.digest)
            await bucket.put(one.key, data, one.content_type, one.cache_control)
        report(1)
