"""One video from its upload to its answer: fetched piece by piece into a file, made, stored from files."""

import asyncio
import hashlib
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from photolog.engines.object_store import ObjectRefused
from schemas.events import MediaTranscodingCompleted, MediaTranscodingRequested, MediaVariant
from transcode.encoding import SOURCE
from transcode.errors import Reason, UnprocessableMedia
from transcode.fingerprints.digest import digest
from transcode.footage import SECONDS_MAX, VideoLimits
from transcode.job import CACHE_CONTROL, Objects, check_digest, original_size
from transcode.made_video import MadeVideo, VideoFile
from transcode.plan import processed_key

_PIECE_BYTES = 8 * 1024 * 1024
_STORED_AT_ONCE = 4
_DIGEST_CHARACTERS = 24


class Maker(Protocol):
    """`transcode.video.VideoMaker`."""

    limits: VideoLimits

    def folder(self) -> AbstractAsyncContextManager[Path]:
        """A folder for one video, once it is its turn."""

    async def make(self, folder: Path, seconds_max: float) -> MadeVideo:
        """Everything that is made of the video in a folder."""


class VideoJob:
    """Makes what is made of videos.

    An encoder that is held to so many bits makes other bytes each time. So each set of files has a place of its own,
    named after its bytes: doing a video again overwrites nothing that an earlier answer named.

    Args:
        objects: holds uploads and takes what is made.
        maker: makes it.
    """

    def __init__(self, objects: Objects, maker: Maker) -> None:
        self._objects = objects
        self._maker = maker

    async def completed(self, request: MediaTranscodingRequested) -> MediaTranscodingCompleted:
        """Everything that is made of a video, stored.

        Raises:
            UnprocessableMedia: the video is refused.
            StoreUnavailable: the bucket did not answer.
            SandboxUnavailable: no program could be started, or there is no room on the disk.
        """
        async with self._maker.folder() as folder:
            await self._fetch(request.object_key, folder / SOURCE)
            found = await asyncio.to_thread(_source_digest, folder / SOURCE)
            check_digest(request, found)
            made = await self._maker.make(folder, SECONDS_MAX[request.purpose])
            place = await asyncio.to_thread(_digest, made.files)
            turns = asyncio.Semaphore(_STORED_AT_ONCE)
            stored = await asyncio.gather(
                *(
                    self._store(processed_key(request.media_id, f"{place}/{file.name}"), file, turns)
                    for file in made.files
                )
            )
        return MediaTranscodingCompleted(
            media_id=request.media_id,
            owner_id=request.owner_id,
            width=made.plan.width,
            height=made.plan.height,
            variants=list(stored),
            kind="video",
            duration_ms=made.duration_ms,
            digest=found,
        )

    async def _fetch(self, key: str, path: Path) -> None:
        size_bytes = await original_size(self._objects, key, self._maker.limits.bytes_max)
        with path.open("wb") as file:
            for start in range(0, size_bytes, _PIECE_BYTES):
                try:
                    piece = await self._objects.read_range(key, start, min(_PIECE_BYTES, size_bytes - start))
                except ObjectRefused as error:
                    # It was deleted in between.
                    raise UnprocessableMedia(Reason.MISSING) from error
                await asyncio.to_thread(file.write, piece)

    async def _store(self, key: str, file: VideoFile, turns: asyncio.Semaphore) -> MediaVariant:
        async with turns:
            await self._objects.put_file(key, file.path, file.content_type, CACHE_CONTROL)
        return MediaVariant(
            name=file.name,
            content_type=file.content_type,
            width=file.width,
            height=file.height,
            size_bytes=file.size_bytes,
            object_key=key,
        )


def _source_digest(path: Path) -> str:
    with path.open("rb") as file:
        return digest(file).hex()


def _digest(files: Iterable[VideoFile]) -> str:
    """A name that only these very files have."""
    whole = hashlib.sha256()
    for file in files:
        with file.path.open("rb") as opened:
            whole.update(f"{file.name}:{hashlib.file_digest(opened, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()[:_DIGEST_CHARACTERS]
