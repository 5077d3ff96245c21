"""Sending a file's parts to the object store, straight from the client."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import httpx

from photolog.client.problems import UnexpectedAnswer, Unreachable
from photolog.client.views import PartAddress

PARALLEL_PARTS_MAX = 4
ATTEMPTS_MAX = 3
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class SentPart:
    """A part that the object store has, under the ETag that it answered."""

    number: int
    etag: str


async def send_parts(
    http: httpx.AsyncClient, data: bytes, parts: Sequence[PartAddress], progress: Progress | None
) -> list[SentPart]:
    """PUT each part to its address, at most four at a time.

    Args:
        http: a pool without base URL or token; the addresses are signed.
        data: the whole file.
        parts: where the parts go, in order.
        progress: called with the bytes sent so far and the bytes in all, after each part.

    Raises:
        UnexpectedAnswer: the object store refused a part.
        Unreachable: it did not answer at all.
    """
    gate = asyncio.Semaphore(PARALLEL_PARTS_MAX)
    sent_bytes = 0

    async def send(part: PartAddress, start: int) -> SentPart:
        nonlocal sent_bytes
        async with gate:
            etag = await _put(http, part, data[start : start + part.size_bytes])
        sent_bytes += part.size_bytes
        if progress:
            progress(sent_bytes, len(data))
        return SentPart(part.number, etag)

    starts = accumulate((part.size_bytes for part in parts), initial=0)
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(send(part, start)) for part, start in zip(parts, starts, strict=False)]
    except ExceptionGroup as errors:
        # The others were cancelled by the first; that one is what went wrong.
        raise errors.exceptions[0] from errors
    return [task.result() for task in tasks]


async def _put(http: httpx.AsyncClient, part: PartAddress, content: bytes) -> str:
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            answer = await http.put(part.url, content=content)
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
