"""Files on the disk that were made of an upload, on their way from the bucket and to it: piece by piece, never over
others.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec

from photolog.engines.object_store import ObjectRefused
from schemas.events import MediaTranscodingCompleted, MediaTranscodingRequested, MediaVariant
from transcode.contents.port import ContentRow
from transcode.encoding import SOURCE
from transcode.errors import Reason, UnprocessableMedia
from transcode.fingerprints.digest import digest
from transcode.job import CACHE_CONTROL, Objects, check_digest, original_size
from transcode.plan import processed_key
from transcode.sharing import Making, Sharing

PIECE_BYTES = 8 * 1024 * 1024
_STORED_AT_ONCE = 4
_DIGEST_CHARACTERS = 24


class MadeFile(msgspec.Struct, frozen=True):
    """One file that was made; width and height in pixels, 0 where it shows nothing."""

    name: str
    content_type: str
    path: Path
    width: int
    height: int
    size_bytes: int


def made_file(path: Path, content_type: str, damaged: Reason, width: int = 0, height: int = 0) -> MadeFile:
    """A file that a program was to make. Raises UnprocessableMedia for the reason given where it did not."""
    size_bytes = path.stat().st_size if path.is_file() and not path.is_symlink() else 0
    if not size_bytes:
        raise UnprocessableMedia(damaged, f"no {path.name} was made")
    return MadeFile(path.name, content_type, path, width, height, size_bytes)


async def _fetch_original(objects: Objects, key: str, path: Path, bytes_max: int) -> str:
    """Bring an upload into a file, a piece at a time; SHA-256 of all its bytes, in hexadecimal.

    Raises:
        UnprocessableMedia: it is gone, or has too many bytes.
        StoreUnavailable: the bucket did not answer.
    """
    size_bytes = await original_size(objects, key, bytes_max)
    with path.open("wb") as file:
        for start in range(0, size_bytes, PIECE_BYTES):
            try:
                piece = await objects.read_range(key, start, min(PIECE_BYTES, size_bytes - start))
            except ObjectRefused as error:
                # It was deleted in between.
                raise UnprocessableMedia(Reason.MISSING) from error
            await asyncio.to_thread(file.write, piece)
    return await asyncio.to_thread(_source_digest, path)


class Limits(Protocol):
    """The part of a maker's limits that bounds what is fetched."""

    @property
    def bytes_max(self) -> int:
        """Bytes of an upload."""


class Maker(Protocol):
    """What `transcode.video.VideoMaker` and `transcode.voice.VoiceMaker` have in common."""

    @property
    def limits(self) -> Limits:
        """What one upload may cost."""

    def folder(self) -> AbstractAsyncContextManager[Path]:
        """A folder for one upload, once it is its turn."""


async def shared(
    objects: Objects,
    maker: Maker,
    sharing: Sharing,
    request: MediaTranscodingRequested,
    make: Callable[[MediaTranscodingRequested, Path, ContentRow | None], Awaitable[Making]],
) -> MediaTranscodingCompleted:
    """The answer to an upload, which `make` makes in a folder where nobody has uploaded the same before.

    Raises:
        UnprocessableMedia: it is refused.
        StoreUnavailable: the bucket did not answer.
        SandboxUnavailable: no program could be started, or there is no room on the disk.
    """
    while True:
        # While somebody else makes the same, others have the turn.
        async with _fetched(objects, maker, request) as (folder, found):
            answer = await sharing.attempt(request, found, partial(make, request, folder))
        if answer is not None:
            return answer
        await sharing.quiet(found)


@asynccontextmanager
async def _fetched(
    objects: Objects, maker: Maker, request: MediaTranscodingRequested
) -> AsyncIterator[tuple[Path, str]]:
    """A folder with the upload in it, once it is its turn, and SHA-256 of its bytes.

    Raises:
        UnprocessableMedia: it is gone, has too many bytes, or is not the file whose digest was told.
        StoreUnavailable: the bucket did not answer.
        SandboxUnavailable: there is no room on the disk.
    """
    async with maker.folder() as folder:
        digest_found = await _fetch_original(objects, request.object_key, folder / SOURCE, maker.limits.bytes_max)
        check_digest(request, digest_found)
        yield folder, digest_found


async def store_files(objects: Objects, media_id: int, files: Sequence[MadeFile]) -> list[MediaVariant]:
    """Store all of them, in a place of their own that is named after their bytes.

    Encoders make other bytes each time; so doing an upload again overwrites nothing that an earlier answer named.

    Raises:
        StoreUnavailable: the bucket did not answer.
    """
    place = await asyncio.to_thread(_place, files)
    turns = asyncio.Semaphore(_STORED_AT_ONCE)

    async def store(file: MadeFile) -> MediaVariant:
        key = processed_key(media_id, f"{place}/{file.name}")
        async with turns:
            await objects.put_file(key, file.path, file.content_type, CACHE_CONTROL)
        return MediaVariant(
            name=file.name,
            content_type=file.content_type,
            width=file.width,
            height=file.height,
            size_bytes=file.size_bytes,
            object_key=key,
        )

    return list(await asyncio.gather(*(store(file) for file in files)))


def _source_digest(path: Path) -> str:
    with path.open("rb") as file:
        return digest(file).hex()


def _place(files: Sequence[MadeFile]) -> str:
    """A name that only these very files have."""
    whole = hashlib.sha256()
    for file in files:
        with file.path.open("rb") as opened:
            whole.update(f"{file.name}:{hashlib.file_digest(opened, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()[:_DIGEST_CHARACTERS]
