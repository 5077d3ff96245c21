"""Where subscriptions are opened, counted and looked after: whether their grants still hold, whether they listen."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Annotated, Literal

import msgspec
import structlog

from gateway.cursors import Cursors
from gateway.metrics import subscription_began, subscription_ended
from gateway.public_events import PublicView
from gateway.streams.cursors import CURSOR_CHARACTERS_MAX, EARLIEST, Offsets, StreamCursors, begun
from gateway.streams.filters import PUBLIC_TOPICS, Filter, wanted
from gateway.streams.frames import Encoder
from gateway.streams.grants import GrantKeeper, over
from gateway.streams.hub import Hub
from gateway.streams.lens import Lens
from gateway.streams.log import StreamLog
from gateway.streams.pseudonyms import Pseudonyms
from gateway.streams.subscription import Reason, Sources, Subscription
from gateway.vault.port import GrantRow
from gateway.waiting import PositionWaiter
from photolog.errors import Busy, StoreUnavailable, TooSoon
from photolog.log.ends import Ends
from photolog.settings import Settings, StreamSettings, key_bytes
from projections.stores.pinning import PinnedPointers
from projections.stores.port import RowStore, TimelineStore
from schemas.serde import Serde

STUCK_SECONDS_MAX = 30.0
_UNTOLD_SECONDS_MAX = 30.0  # so long subscriptions go on while nobody can tell whether their grants hold
_RETRY_SECONDS = 5
_TOPICS = tuple(topic.name for topic in PUBLIC_TOPICS)
logger = structlog.get_logger(__name__)


class SubscribeQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wanted.

    `types` are names with commas, all that are granted by default; `sample` is the share of events, the largest that is
    granted by default; `cursor` is where to go on, or `earliest`, by default what happens from now on.
    """

    types: Annotated[str, msgspec.Meta(max_length=1_000)] | None = None
    sample: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    cursor: Annotated[str, msgspec.Meta(max_length=CURSOR_CHARACTERS_MAX)] | None = None
    compress: Literal["zstd"] | None = None


class Desk:
    """Opens subscriptions.

    Args:
        settings: bounds.
        log: the log.
        lens: looks at it.
        grants: the grants.
        cursors: signs cursors.
        pseudonym_key: what pseudonyms are made from.
        clock_ms: Unix milliseconds.
    """

    def __init__(
        self,
        settings: StreamSettings,
        log: StreamLog,
        lens: Lens,
        grants: GrantKeeper,
        cursors: Cursors,
        pseudonym_key: bytes,
        clock_ms: Callable[[], int],
    ) -> None:
        self.grants = grants
        self._settings = settings
        self._log = log
        self._cursors = cursors
        self._pseudonym_key = pseudonym_key
        self._clock_ms = clock_ms
        hub = Hub(log, _TOPICS, lens, lambda: self._end_all("internal"))
        self._sources = Sources(log, lens, hub, settings.heartbeat_seconds, settings.waiting_bytes_max)
        self._open: set[Subscription] = set()
        self._coming: list[str] = []
        self._readers = 0
        self._watch: asyncio.Task[None] | None = None

    async def open(self, grant: GrantRow, query: SubscribeQuery, last_event_id: str | None = None) -> Subscription:
        """Open a subscription; `close` has to follow.

        Args:
            grant: whose.
            query: what is wanted.
            last_event_id: the cursor of a client that lost its connection; it comes before that of the query.

        Raises:
            Invalid, Forbidden: what is wanted cannot be had.
            Gone, Conflict: the cursor is older than the log, or ahead of it.
            TooSoon, Busy: there are too many.
            LogUnavailable: the log does not answer.
        """
        filtered = wanted(grant, query.types, query.sample)
        cursors = StreamCursors(self._cursors, grant.grant_id, filtered)
        text = last_event_id or query.cursor
        offsets = {} if text in (None, EARLIEST) else cursors.decode(text or "")
        self._require_room(grant, reads=text is not None)
        self._coming.append(grant.grant_id)
        self._readers += text is not None
        entered = False
        try:
            await self._sources.hub.enter()
            entered = True
            start = None if text is None else await self._start(filtered, offsets, text == EARLIEST)
            return self._opened(grant, filtered, cursors, start)
        except BaseException:
            self._readers -= text is not None
            if entered:
                await self._sources.hub.leave()
            raise
        finally:
            self._coming.remove(grant.grant_id)

    @asynccontextmanager
    async def held(self, subscription: Subscription) -> AsyncIterator[None]:
        """Close a subscription at the end, whatever becomes of it."""
        try:
            yield
        finally:
            await self.close(subscription)

    async def close(self, subscription: Subscription) -> None:
        """Count a subscription no more."""
        if subscription in self._open:
            subscription.end("left")
            self._open.remove(subscription)
            subscription.caught_up()
            subscription_ended(subscription.reason or "left")
            logger.info("subscription-ended", grant=subscription.grant.grant_id, reason=subscription.reason)
            await self._sources.hub.leave()

    async def shut(self) -> None:
        """Let everybody go, and the engines."""
        self._end_all("shutdown")
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await self._sources.hub.close()
        await self._log.close()

    async def _start(self, filtered: Filter, offsets: Offsets, earliest: bool) -> dict[tuple[str, int], int]:
        starts, ends = await self._log.bounds(filtered.topics)
        return dict(starts) if earliest else begun(offsets, starts, ends)

    def _opened(
        self, grant: GrantRow, filtered: Filter, cursors: StreamCursors, start: dict[tuple[str, int], int] | None
    ) -> Subscription:
        encoder = Encoder(cursors, Pseudonyms(self._pseudonym_key, grant.grant_id), filtered)
        key = (grant.grant_id, filtered.types, filtered.sample)
        subscription = Subscription(grant, key, encoder, self._sources, start, self._reader_ends(start is not None))
        self._open.add(subscription)
        subscription_began()
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._look_after())
        return subscription

    def _reader_ends(self, reads: bool) -> Callable[[], None]:
        """What gives a place among the readers of history free, once."""
        left = [1] if reads else []

        def ends() -> None:
            self._readers -= left.pop() if left else 0

        return ends

    def _require_room(self, grant: GrantRow, reads: bool) -> None:
        held = [one.grant.grant_id for one in self._open] + self._coming
        if held.count(grant.grant_id) >= self._settings.subscribers_per_grant_max:
            raise TooSoon(
                "too-many-subscriptions",
                f"a grant has at most {self._settings.subscribers_per_grant_max} subscriptions here",
                retry_after_seconds=_RETRY_SECONDS,
            )
        if len(held) >= self._settings.subscribers_max:
            raise Busy("too-many-subscribers", "this gateway has as many subscribers as it can bear; try again")
        if reads and self._readers >= self._settings.history_readers_max:
            raise Busy("too-many-readers", "as many as can read history do; try again, or subscribe without a cursor")

    async def _look_after(self) -> None:
        told_at_ms = self._clock_ms()
        while self._open:
            await asyncio.sleep(self._settings.look_seconds)
            for subscription in list(self._open):
                if subscription.stuck_seconds() > STUCK_SECONDS_MAX:
                    subscription.end("slow-consumer")
            try:
                current = await self.grants.current()
            except StoreUnavailable as error:
                logger.warning("grants-away", cause=str(error))
                if self._clock_ms() - told_at_ms > _UNTOLD_SECONDS_MAX * 1_000:
                    self._end_all("unavailable")
                continue
            told_at_ms = self._clock_ms()
            for subscription in list(self._open):
                reason = over(current.get(subscription.grant.grant_id), told_at_ms)
                if reason is not None:
                    subscription.end(reason)

    def _end_all(self, reason: Reason) -> None:
        for subscription in list(self._open):
            subscription.end(reason)


def open_desk(
    settings: Settings,
    log: StreamLog,
    rows: RowStore,
    timelines: TimelineStore,
    serde: Serde,
    grants: GrantKeeper,
    cursors: Cursors,
    clock_ms: Callable[[], int],
    pinned: PinnedPointers,
) -> Desk:
    """The desk of a gateway process, over its engines."""

    async def ends(topics: Collection[str]) -> Ends:
        return (await log.bounds(topics))[1]

    waiter = PositionWaiter(rows, timelines, settings.gateway.position_wait_ms, selected=pinned.selected)
    lens = Lens(serde, PublicView(rows, waiter, ends, pinned.pin_fresh, clock_ms))
    return Desk(settings.streams, log, lens, grants, cursors, pseudonym_key(settings), clock_ms)


def pseudonym_key(settings: Settings) -> bytes:
    """What pseudonyms are made from."""
    if settings.secrets.pseudonym_key is not None:
        return key_bytes(settings.secrets.pseudonym_key)
    key = key_bytes(settings.secrets.hash_key)
    return hashlib.blake2b(b"", key=key, digest_size=32, person=b"pseudonyms").digest()
