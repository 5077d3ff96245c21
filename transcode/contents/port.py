"""What is known of each content, by the digest of its bytes. Adapters: Cassandra's beside this, memory."""

from collections.abc import AsyncIterator
from typing import Literal, Protocol

import msgspec

from schemas.events import MediaTranscodingCompleted

ContentState = Literal["making", "ready", "going"]


class Base(msgspec.Struct, frozen=True):
    """A content whose files another one shows, as it is nearly the same."""

    digest: str
    content_id: int


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """A content whose files are there.

    Args:
        content_type: what its uploads were declared as.
        answer: what was answered to the upload that it was made of.
        base: the content whose files it shows; None where they are its own.
    """

    content_type: str
    answer: MediaTranscodingCompleted
    base: Base | None = None


class ContentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One content.

    Args:
        digest: of its bytes.
        content_id: the media record that it was made for, under whose number its files lie.
        state: `making` until its files are there; `going` from when nobody holds it until they are gone.
        renewed_ms: when whoever makes or removes it was last seen to, Unix ms.
        version: another one with each change.
        holders: how many hold it.
        content: what it is, once it is ready.
    """

    digest: str
    content_id: int
    state: ContentState
    renewed_ms: int
    version: int
    holders: int = 0
    content: Content | None = None


class ContentStore(Protocol):
    """Where contents are kept. Each call may raise StoreUnavailable; what became of it is then unknown."""

    async def get(self, digest: str) -> ContentRow | None:
        """The content of a digest, as the last change left it."""

    async def holds(self, digest: str, holder: int) -> bool:
        """Whether somebody holds it."""

    async def create(self, row: ContentRow) -> bool:
        """Whether the row is there now and none was before."""

    async def change(
        self, before: ContentRow, after: ContentRow, *, takes: int | None = None, leaves: int | None = None
    ) -> bool:
        """Whether a row was as it was thought to be, and is now as it should be, with one holder more or less."""

    async def remove(self, row: ContentRow) -> bool:
        """Whether a row was as it was thought to be, and is gone."""

    def digests(self) -> AsyncIterator[list[str]]:
        """The digests of all contents, some at a time."""
