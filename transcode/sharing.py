"""One content for all uploads of the same bytes: made once, held by each, whatever order they come in.

What is answered to an upload that shares is what was answered to the first one, under its own number. An upload may
share where it was declared as the same type and is not longer than what it is for allows; any other is made anew, and
refused as it would have been.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
import structlog

from photolog.errors import StoreUnavailable
from photolog.media.content_keys import ContentKey
from schemas.events import MediaTranscodingCompleted, MediaTranscodingRequested
from transcode.contents.holding import Busy, Contents, Held, Mine
from transcode.contents.port import Base, Content, ContentRow
from transcode.errors import UnprocessableMedia
from transcode.lengths import may_last

_RENEW_SECONDS = 5.0
_ASK_SECONDS = 0.2
_ASK_SECONDS_MAX = 2.0
logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Making:
    """What was made of an upload.

    Args:
        answer: as if nobody else had the same.
        base: the content whose files it names; None where they are its own.
    """

    answer: MediaTranscodingCompleted
    base: Base | None = None


Make = Callable[[ContentRow | None], Awaitable[Making]]
"""Makes an upload's files. It gets the content that is made, None where nobody is to share it."""


class Sharing:
    """Finds for uploads the content that they share.

    Args:
        contents: who holds what; None where nothing is shared.
        key: how digests are kept.
    """

    def __init__(self, contents: Contents | None, key: ContentKey) -> None:
        self._contents = contents
        self._key = key

    async def answer(self, request: MediaTranscodingRequested, digest: str, make: Make) -> MediaTranscodingCompleted:
        """The answer to an upload, once nobody else is at the same.

        Args:
            request: what asks for it.
            digest: SHA-256 of the upload, in hexadecimal.
            make: called where nothing is there that it may share.

        Raises:
            UnprocessableMedia: as `make`.
            StoreUnavailable: a store did not answer; ask again.
        """
        while (answer := await self.attempt(request, digest, make)) is None:
            await self.quiet(digest)
        return answer

    async def attempt(
        self, request: MediaTranscodingRequested, digest: str, make: Make
    ) -> MediaTranscodingCompleted | None:
        """The same; None while somebody else is at it."""
        kept, contents = self._key.of(digest), self._contents
        if contents is not None:
            claim = await contents.claim(kept, request.media_id, lambda content: may_share(content, request))
            match claim:
                case Busy():
                    return None
                case Held(content):
                    return told(content.answer, request)
                case Mine():
                    return await self._made(contents, request, claim, make)
        return msgspec.structs.replace((await make(None)).answer, digest=kept)

    async def quiet(self, digest: str) -> None:
        """Return once it may be worth while to try again."""
        pause = _ASK_SECONDS
        while self._contents is not None and await self._contents.is_busy(self._key.of(digest)):
            await asyncio.sleep(pause)
            pause = min(2 * pause, _ASK_SECONDS_MAX)

    async def _made(
        self, contents: Contents, request: MediaTranscodingRequested, claim: Mine, make: Make
    ) -> MediaTranscodingCompleted | None:
        """The answer, once the content is ready; None where somebody else has made it meanwhile."""
        row = claim.row
        try:
            async with _renewing(contents, claim):
                making = await make(row)
        except UnprocessableMedia:
            await contents.give_up(claim)
            raise
        answer = msgspec.structs.replace(making.answer, content_id=row.content_id, digest=row.digest)
        content = Content(content_type=request.content_type, answer=answer, base=making.base)
        return answer if await contents.finish(claim, content, request.object_key) else None


def may_share(content: Content, request: MediaTranscodingRequested) -> bool:
    """Whether a content may stand for an upload."""
    answer = content.answer
    is_meant = content.content_type == request.content_type and (answer.kind == "voice") == (request.purpose == "voice")
    return is_meant and may_last(request.purpose, answer.duration_ms / 1_000)


def told(answer: MediaTranscodingCompleted, request: MediaTranscodingRequested) -> MediaTranscodingCompleted:
    """The answer to the first upload of a content as the answer to another one."""
    return msgspec.structs.replace(
        answer, media_id=request.media_id, owner_id=request.owner_id, purpose=request.purpose
    )


@asynccontextmanager
async def _renewing(contents: Contents, claim: Mine) -> AsyncIterator[None]:
    """Say now and then that the content is being made."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            try:
                if not await contents.renew(claim):
                    return  # somebody else's; what is made here is thrown away
            except StoreUnavailable as error:
                logger.warning("content-not-renewed", content_id=claim.row.content_id, cause=str(error))

    task = asyncio.create_task(renew())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
