"""Sending a file's parts to the object store, straight from the client."""

import asyncio
import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from photolog.client.problems import UnexpectedAnswer, Unreachable
from photolog.client.views import PartAddress

PARALLEL_PARTS_MAX = 4
ATTEMPTS_MAX = 3
_DIGEST_PIECE_BYTES = 1 << 20
Progress = Callable[[int, int], None]


class Content:
    """A file, or bytes, of which a part at a time is in memory.

    Args:
        source: where the bytes are.
    """

    def __init__(self, source: Path | bytes) -> None:
        self._source = source
        self.size_bytes = len(source) if isinstance(source, bytes) else source.stat().st_size

    async def piece(self, start: int, length: int) -> bytes:
        """Some of the bytes."""
        if isinstance(self._source, bytes):
            return self._source[start : start + length]
        return await asyncio.to_thread(_read, self._source, start, length)

    async def sha256(self) -> str:
        """The digest of all bytes, in hexadecimal digits."""
        digest = hashlib.sha256()
        for start in range(0, self.size_bytes, _DIGEST_PIECE_BYTES):
            digest.update(await self.piece(start, _DIGEST_PIECE_BYTES))
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class SentPart:
    """A part that the object store has, under the ETag that it answered; the MD5 is of what was sent."""

    number: int
    etag: str
    md5: str


async def send_parts(
    http: httpx.AsyncClient,
    content: Content,
    parts: Sequence[PartAddress],
    part_bytes: int,
    progress: Progress | None = None,
    arrived_bytes: int = 0,
) -> list[SentPart]:
    """PUT each part to its address, at most four at a time.

    Args:
        http: a pool without base URL or token; the addresses are signed.
        content: the whole file.
        parts: where parts go; those that arrived before are not among them.
        part_bytes: how long every part but the last is.
        progress: called with the bytes sent so far and the bytes in all, after each part.
        arrived_bytes: of the parts that arrived before.

    Raises:
        UnexpectedAnswer: the object store refused a part.
        Unreachable: it did not answer at all.
    """
    gate = asyncio.Semaphore(PARALLEL_PARTS_MAX)
    sent_bytes = arrived_bytes

    async def send(part: PartAddress) -> SentPart:
        nonlocal sent_bytes
        async with gate:
            piece = await content.piece((part.number - 1) * part_bytes, part.size_bytes)
            digest = hashlib.md5(piece, usedforsecurity=False)
            etag = await _put(http, part, piece, digest.digest())
        sent_bytes += part.size_bytes
        if progress:
            progress(sent_bytes, content.size_bytes)
        return SentPart(part.number, etag, digest.hexdigest())

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(send(part)) for part in parts]
    except ExceptionGroup as errors:
        # The others were cancelled by the first; that one is what went wrong.
        raise errors.exceptions[0] from errors
    return [task.result() for task in tasks]


async def _put(http: httpx.AsyncClient, part: PartAddress, piece: bytes, md5: bytes) -> str:
    # The store refuses bytes that changed on their way.
    headers = {"Content-MD5": base64.b64encode(md5).decode()}
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            answer = await http.put(part.url, content=piece, headers=headers)
        except httpx.TransportError as error:
            if attempt == ATTEMPTS_MAX:
                raise Unreachable(f"the object store does not answer: {error!r}") from error
        else:
            if answer.is_success and "etag" in answer.headers:
                return str(answer.headers["etag"])
            if answer.status_code < 500 or attempt == ATTEMPTS_MAX:
                raise UnexpectedAnswer(f"the object store answered {answer.status_code} to part {part.number}")
        await asyncio.sleep(0.2 * attempt)
    raise UnexpectedAnswer(f"part {part.number} was never answered")


def _read(path: Path, start: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(length)
