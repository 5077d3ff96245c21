"""Stored files as they are, read from the bucket a chunk at a time, so that a video takes no more memory than one."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.types import Scope

from edge.errors import UnreadableSource
from edge.ranges import Part
from edge.sources import Bucket
from gateway.middleware import BOUND
from photolog.engines.object_store import ObjectRefused
from schemas.events import MediaVariant

CHUNK_BYTES = 256 * 1_024
CHUNK_SECONDS_MAX = 30.0
"""How long one chunk may take to be read and taken by its reader; a file takes as long as it takes."""


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """A file, or a part of it."""

    stored: MediaVariant
    part: Part | None

    @property
    def status(self) -> int:
        """Of the answer."""
        return 200 if self.part is None else 206

    @property
    def span(self) -> tuple[int, int]:
        """Where in the file it begins, and where it ends."""
        return (0, self.stored.size_bytes) if self.part is None else (self.part.start, self.part.end)

    @property
    def headers(self) -> dict[str, str]:
        """How long it is, and which part."""
        start, end = self.span
        headers = {"content-length": str(end - start)}
        if self.part is not None:
            headers["content-range"] = self.part.content_range
        return headers


async def opened(bucket: Bucket, answer: FileAnswer, scope: Scope) -> AsyncIterator[bytes]:
    """The answer's bytes, of which the first are there: a file that cannot be read is known before it is answered.

    An answer that breaks off later is shorter than it said, and so known to be broken.

    Args:
        bucket: holds the file.
        answer: what to read.
        scope: of the request; its time is measured anew with each chunk.

    Raises:
        StoreUnavailable: the bucket did not answer.
        UnreadableSource: the file is not there.
    """
    chunks = _chunks(bucket, answer, scope)
    try:
        first = await anext(chunks, b"")
    except ObjectRefused as error:
        raise UnreadableSource(f"{answer.stored.object_key} cannot be read") from error
    return _behind(first, chunks)


async def _behind(first: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in chunks:
        yield chunk


async def _chunks(bucket: Bucket, answer: FileAnswer, scope: Scope) -> AsyncIterator[bytes]:
    at, end = answer.span
    while at < end:
        _renew(scope)
        chunk = await bucket.read_range(answer.stored.object_key, at, min(CHUNK_BYTES, end - at))
        if not chunk:
            return
        yield chunk
        at += len(chunk)


def _renew(scope: Scope) -> None:
    bound: asyncio.Timeout | None = scope.get(BOUND)
    if bound is not None:
        bound.reschedule(asyncio.get_running_loop().time() + CHUNK_SECONDS_MAX)
