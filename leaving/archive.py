"""A zip that is written straight into the bucket, a part at a time: memory holds one part, however large it is."""

import hashlib
import io
import zipfile
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import msgspec

from photolog.engines.object_store import UploadPart

PART_BYTES = 8 * 1024 * 1024
PARTS_MAX = 10_000
CONTENT_TYPE = "application/zip"
# Entries carry no time of their own; the manifest tells when all of it was made.
_ENTRY_TIME = (1980, 1, 1, 0, 0, 0)


class Uploads(Protocol):
    """The part of `photolog.engines.object_store.ObjectStore` that an archive needs."""

    async def create_upload(self, key: str, content_type: str) -> str: ...
    async def upload_part(self, key: str, upload_id: str, number: int, data: bytes) -> UploadPart: ...
    async def complete_upload(self, key: str, upload_id: str, parts: Sequence[UploadPart]) -> None: ...
    async def abort_upload(self, key: str, upload_id: str) -> None: ...


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the archive: its size in bytes and its digest, in hexadecimal."""

    name: str
    size_bytes: int
    sha256: str


class _Outlet(io.RawIOBase):
    """Where the zip is written: what is not uploaded yet. It cannot be sought, so zipfile never goes back."""

    def __init__(self) -> None:
        self.held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # zipfile writes bytes
        self.held += data
        return len(data)


class Archive:
    """One archive being written; nothing is there under its key before `finish`.

    Args:
        objects: the bucket.
        key: where it will be.
    """

    def __init__(self, objects: Uploads, key: str) -> None:
        self._objects = objects
        self._key = key
        self._outlet = _Outlet()
        self._zip = zipfile.ZipFile(self._outlet, "w", zipfile.ZIP_DEFLATED)
        self._upload_id = ""
        self._parts: list[UploadPart] = []
        self.entries: list[Entry] = []

    async def begin(self) -> None:
        """Begin the upload."""
        self._upload_id = await self._objects.create_upload(self._key, CONTENT_TYPE)

    async def add(self, name: str, chunks: AsyncIterator[bytes], *, compressed: bool = True) -> Entry:
        """Write a file. What is compressed already, as photographs are, is stored as it is."""
        digest, size_bytes = hashlib.sha256(), 0
        info = zipfile.ZipInfo(name, _ENTRY_TIME)
        info.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
        with self._zip.open(info, "w", force_zip64=True) as entry:
            async for chunk in chunks:
                entry.write(chunk)
                digest.update(chunk)
                size_bytes += len(chunk)
                await self._upload(PART_BYTES)
        written = Entry(name=name, size_bytes=size_bytes, sha256=digest.hexdigest())
        self.entries.append(written)
        return written

    async def finish(self) -> int:
        """Close the archive and make it appear; its size in bytes."""
        self._zip.close()
        await self._upload(1)
        await self._objects.complete_upload(self._key, self._upload_id, self._parts)
        return sum(part.size_bytes or 0 for part in self._parts)

    async def abort(self) -> None:
        """Give it up; nothing of it stays."""
        self._zip.close()
        await self._objects.abort_upload(self._key, self._upload_id)

    async def _upload(self, least_bytes: int) -> None:
        """Upload whole parts while there is at least so much; only the last one may be smaller."""
        held = self._outlet.held
        while len(held) >= least_bytes:
            if len(self._parts) >= PARTS_MAX:
                raise ValueError(f"an archive has at most {PARTS_MAX} parts")
            data = bytes(held[:PART_BYTES])
            number = len(self._parts) + 1
            self._parts.append(await self._objects.upload_part(self._key, self._upload_id, number, data))
            del held[: len(data)]
