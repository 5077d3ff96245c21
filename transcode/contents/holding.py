"""Who makes a content, who holds it, and who removes its files: decided for one digest at a time, without a lock.

Uploads with the same bytes find each other by their digest. The first one claims the content and makes it; others that
come meanwhile wait, and hold it once it is ready. Whoever makes it says so now and then, and is taken for dead
otherwise: another one that waits makes it then, under a number of its own, and the one that comes back too late holds
the other's. When the last holder leaves, nobody can hold it any more, its files are removed, and then it is forgotten;
whoever meets a removal that has stopped goes on with it. Every step may be done twice.
"""

import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import msgspec
import structlog

from photolog.errors import StoreUnavailable
from photolog.ids import now_ms
from photolog.media.originals import content_prefix, original_key
from transcode.contents.port import Base, Content, ContentRow, ContentStore

STALE_MS = 30_000
"""After so long without a sign, whoever makes or removes a content is taken for dead."""
HOLDERS_MAX = 100_000
"""Holders of one content; the next upload of the same bytes is a content of its own that nobody shares."""
_VERSION_BITS = 63
_HOLDER_DIGITS = 15  # of a digest, hexadecimal: 60 bits
logger = structlog.get_logger(__name__)


class Files(Protocol):
    """The part of `photolog.engines.object_store.ObjectStore` that is needed."""

    async def copy(self, key: str, to_key: str) -> None:
        """Copy an object inside the bucket."""

    def keys(self, prefix: str) -> AsyncIterator[list[str]]:
        """The keys that begin with a prefix, some at a time."""

    async def delete(self, key: str) -> None:
        """Delete an object."""


@dataclass(frozen=True, slots=True)
class Mine:
    """The content is to be made by who asked."""

    row: ContentRow


@dataclass(frozen=True, slots=True)
class Held:
    """The content is there, and who asked holds it from now on."""

    content: Content


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else makes or removes it; ask again in a moment."""


@dataclass(frozen=True, slots=True)
class Apart:
    """It is there and may not be shared with who asked, who makes files of their own."""


Claim = Mine | Held | Busy | Apart


class Seen(Protocol):
    """Which digests may have been seen: `transcode.fingerprints.seen_digests.SeenDigests`."""

    async def may_contain(self, digest: bytes) -> bool:
        """False where a digest was certainly never added. Raises StoreUnavailable."""

    async def add(self, digests: Iterable[bytes]) -> None:
        """Add some. Raises StoreUnavailable."""


class Contents:
    """The contents.

    Args:
        store: what is known of them.
        files: the bucket.
        seen: saves reading what was never there; None reads always. It may err: the store decides.
        clock_ms: Unix milliseconds.
    """

    def __init__(
        self, store: ContentStore, files: Files, seen: Seen | None = None, clock_ms: Callable[[], int] = now_ms
    ) -> None:
        self._store = store
        self._files = files
        self._seen = seen
        self._clock_ms = clock_ms

    async def claim(self, digest: str, media_id: int, fits: Callable[[Content], bool]) -> Claim:
        """What becomes of an upload with a digest.

        Args:
            digest: of its bytes.
            media_id: its record, which makes or holds the content.
            fits: whether a content may stand for the upload.

        Raises:
            StoreUnavailable: a store did not answer; ask again.
        """
        row = await self._store.get(digest) if await self._may_be_there(digest) else None
        if row is None:
            made = self._making(digest, media_id)
            await self._note(digest)
            if await self._store.create(made):
                return Mine(made)
            row = await self._store.get(digest)
            if row is None:
                return Busy()
        if row.content is not None and row.state == "ready":
            return await self._hold(row, media_id, row.content, fits)
        if row.state == "going":
            if self._is_stale(row):
                await self._remove(await self._renewed(row))
            return Busy()
        if row.content_id == media_id or self._is_stale(row):
            made = self._making(digest, media_id)
            return Mine(made) if await self._store.change(row, made) else Busy()
        return Busy()

    async def is_busy(self, digest: str) -> bool:
        """Whether somebody, who is not taken for dead, makes or removes the content of a digest."""
        row = await self._store.get(digest)
        return row is not None and row.state != "ready" and not self._is_stale(row)

    async def renew(self, claim: Mine) -> bool:
        """Say that the content is still being made; whether it is still theirs who make it."""
        row = await self._store.get(claim.row.digest)
        if row is None or not _is_making(row, claim):
            return False
        await self._renewed(row)
        return True

    async def finish(self, claim: Mine, content: Content, raw: str) -> bool:
        """The content's files are there. False where somebody else made it meanwhile; those files are thrown away.

        Args:
            claim: theirs who made it.
            content: what it is.
            raw: the key of the upload as it came, which becomes the content's original.
        """
        content_id = claim.row.content_id
        await self._files.copy(raw, original_key(content_id))
        while (row := await self._store.get(claim.row.digest)) is not None and _is_making(row, claim):
            ready = self._changed(row, state="ready", content=content, holders=1)
            if await self._store.change(row, ready, takes=content_id):
                return True
        if row is None or row.content_id != content_id:
            await self._throw_away(content_id)
        return False

    async def give_up(self, claim: Mine) -> None:
        """The content cannot be made of these bytes."""
        while (row := await self._store.get(claim.row.digest)) is not None and _is_making(row, claim):
            if await self._store.remove(row):
                return

    async def holds(self, digest: str, holder: int) -> bool:
        """Whether somebody holds the content of a digest."""
        return await self._store.holds(digest, holder)

    async def hold_base(self, base: Base, digest: str) -> Content | None:
        """Hold a content for another one that shows its files; None where it is going or has become another.

        Args:
            base: the content.
            digest: of the other one. Whoever makes that one holds this one as the same holder.
        """
        holder = holder_of(digest)
        while True:
            row = await self._store.get(base.digest)
            if row is None or row.state != "ready" or row.content is None or row.content_id != base.content_id:
                return None
            if await self._store.holds(base.digest, holder):
                return row.content
            if row.holders >= HOLDERS_MAX:
                return None
            if await self._store.change(row, self._changed(row, holders=row.holders + 1), takes=holder):
                return row.content

    async def release(self, digest: str, holder: int) -> None:
        """Hold a content no more; with its last holder its files go. Doing it again does the rest.

        Raises:
            StoreUnavailable: a store did not answer; do it again.
        """
        while True:
            row = await self._store.get(digest)
            if row is None:
                return
            if row.state == "going":
                await self._remove(await self._renewed(row))
                return
            if not await self._store.holds(digest, holder):
                return
            left = row.holders - 1
            after = self._changed(row, holders=left, state="ready" if left else "going", renewed_ms=self._clock_ms())
            if await self._store.change(row, after, leaves=holder) and not left:
                await self._remove(after)
                return

    async def _may_be_there(self, digest: str) -> bool:
        try:
            return self._seen is None or await self._seen.may_contain(bytes.fromhex(digest))
        except StoreUnavailable:
            return True

    async def _note(self, digest: str) -> None:
        """Tell the filter before the store knows. One that cannot be told says `no` later; creating then finds out."""
        try:
            if self._seen is not None:
                await self._seen.add([bytes.fromhex(digest)])
        except StoreUnavailable as error:
            logger.warning("digest-not-noted", cause=str(error))

    async def _hold(self, row: ContentRow, media_id: int, content: Content, fits: Callable[[Content], bool]) -> Claim:
        if await self._store.holds(row.digest, media_id):
            return await self._held(media_id, row, content)
        if row.holders >= HOLDERS_MAX or not fits(content):
            return Apart()
        after = self._changed(row, holders=row.holders + 1)
        is_held = await self._store.change(row, after, takes=media_id)
        return await self._held(media_id, row, content) if is_held else Busy()

    async def _held(self, media_id: int, row: ContentRow, content: Content) -> Held:
        """It is held now; what the same upload may have begun to make goes."""
        if row.content_id != media_id:
            await self._throw_away(media_id)
        return Held(content)

    async def _remove(self, row: ContentRow | None) -> None:
        """Remove the files of a content that nobody holds. Another one may be at it: files go only once."""
        if row is None:
            return
        await self._throw_away(row.content_id)
        if row.content is not None and row.content.base is not None:
            await self.release(row.content.base.digest, holder_of(row.digest))
        await self._store.remove(row)

    async def _throw_away(self, content_id: int) -> None:
        await self._files.delete(original_key(content_id))
        async for page in self._files.keys(content_prefix(content_id)):
            for key in page:
                await self._files.delete(key)

    async def _renewed(self, row: ContentRow) -> ContentRow | None:
        renewed = self._changed(row, renewed_ms=self._clock_ms())
        return renewed if await self._store.change(row, renewed) else None

    def _making(self, digest: str, media_id: int) -> ContentRow:
        return ContentRow(
            digest=digest, content_id=media_id, state="making", renewed_ms=self._clock_ms(), version=_version()
        )

    def _changed(self, row: ContentRow, **changes: object) -> ContentRow:
        return msgspec.structs.replace(row, version=_version(), **changes)

    def _is_stale(self, row: ContentRow) -> bool:
        return self._clock_ms() - row.renewed_ms > STALE_MS


def holder_of(digest: str) -> int:
    """As what a content holds another one whose files it shows: a number that no media record has."""
    return -1 - int(digest[:_HOLDER_DIGITS], 16)


def _is_making(row: ContentRow, claim: Mine) -> bool:
    """Whether the content is still to be made for the same record; by whom else does not matter."""
    return row.state == "making" and row.content_id == claim.row.content_id


def _version() -> int:
    """One that no row had before, so that what was read a while ago is never taken for what is there."""
    return secrets.randbits(_VERSION_BITS)
