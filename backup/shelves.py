"""Folders and parts of buckets that hold backups."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from backup.shelf import Shelf
from photolog.engines.object_store import ObjectAbsent, ObjectStore
from photolog.errors import Corruption, Invalid, StoreUnavailable
from photolog.settings import S3Settings

_BUCKET = "s3://"
_NAMES_AT_ONCE = 1_000
_TEMPORARY = ".partial-"
T = TypeVar("T")


def shelf_at(place: str, settings: S3Settings) -> Shelf:
    """The place that a person names: a folder, or `s3://bucket/prefix`, reached as the settings say.

    Raises:
        Invalid: it names neither.
    """
    if not place.startswith(_BUCKET):
        return FolderShelf(Path(place).expanduser().resolve())
    bucket, _, prefix = place.removeprefix(_BUCKET).partition("/")
    prefix = prefix.strip("/")
    if not bucket or not prefix:
        raise Invalid("malformed-place", f"{place} names no place in a bucket: give s3://bucket/prefix")
    return BucketShelf(ObjectStore(settings.model_copy(update={"bucket": bucket})), f"{prefix}/", place.rstrip("/"))


class FolderShelf:
    """A folder, made on first use, readable by its owner only.

    Args:
        root: its path.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def label(self) -> str:
        """See `Shelf.label`."""
        return str(self._root)

    async def put(self, name: str, data: bytes) -> None:
        """See `Shelf.put`."""
        await self._call(self._put, name, data)

    async def get(self, name: str) -> bytes | None:
        """See `Shelf.get`."""
        return await self._call(self._get, name)

    async def names(self, prefix: str) -> AsyncIterator[list[str]]:
        """See `Shelf.names`."""
        files = (path for path in (self._root / prefix).rglob("*") if path.is_file())
        while found := await self._call(lambda: list(islice(files, _NAMES_AT_ONCE))):
            yield [str(path.relative_to(self._root)) for path in found]

    async def delete(self, name: str) -> None:
        """See `Shelf.delete`."""
        await self._call(lambda: self._path(name).unlink(missing_ok=True))

    def _path(self, name: str) -> Path:
        """Where a file lies. Names of photographs come from a bucket, and names of all files from a manifest."""
        path = Path(os.path.normpath(self._root / name))
        if not path.is_relative_to(self._root):
            raise Corruption(f"{name} would lie outside {self._root}")
        return path

    def _put(self, name: str, data: bytes) -> None:
        path = self._path(name)
        # Nobody else gets past the root, whatever the folders in it are.
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{_TEMPORARY}{path.name}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _get(self, name: str) -> bytes | None:
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    async def _call(self, work: Callable[..., T], *arguments: Any) -> T:
        try:
            return await asyncio.to_thread(work, *arguments)
        except OSError as error:
            raise StoreUnavailable(f"{self.label}: {error}") from error


class BucketShelf:
    """What lies under a prefix of a bucket.

    Args:
        objects: the bucket.
        prefix: ends with a slash.
        label: see `Shelf.label`.
    """

    def __init__(self, objects: ObjectStore, prefix: str, label: str) -> None:
        self._objects = objects
        self._prefix = prefix
        self._label = label

    @property
    def label(self) -> str:
        """See `Shelf.label`."""
        return self._label

    async def put(self, name: str, data: bytes) -> None:
        """See `Shelf.put`."""
        await self._objects.put(self._prefix + name, data, "application/octet-stream")

    async def get(self, name: str) -> bytes | None:
        """See `Shelf.get`."""
        try:
            return await self._objects.get(self._prefix + name)
        except ObjectAbsent:
            return None

    async def names(self, prefix: str) -> AsyncIterator[list[str]]:
        """See `Shelf.names`."""
        async for page in self._objects.keys(self._prefix + prefix):
            yield [key.removeprefix(self._prefix) for key in page]

    async def delete(self, name: str) -> None:
        """See `Shelf.delete`."""
        await self._objects.delete(self._prefix + name)
