"""Work of the `feed` job: a post to some of its author's followers, many requests and a page of followers at a time."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from photolog.ids import SLOTS, now_ms
from projections.follower_heads import FOLLOWER_HEADS, followers_in
from projections.graph import FOLLOWER_SHARDS, FOLLOWERS, FollowerRow
from projections.stores.port import Delivery, RowStore, TimelineEntry, TimelineStore
from projections.tables import KeyTuple
from schemas.events import Event, FanoutRequested
from streams import metrics
from streams.bounded import bounded_map
from streams.decoding import Dead
from streams.fanout import SLOTS_PER_SHARD
from streams.lanes import ORDINARY, PRIORITY, Lane, Lanes
from streams.step import Batch, Done

NAME = "feed"
PAGE_FOLLOWERS = 1_000
_REQUESTS_AT_ONCE = 64
_PARTS_AT_ONCE = 2
_READS_AT_ONCE = 32
_SOURCES_MAX = 4_096  # partitions of the graph topic, at most


@dataclass(slots=True)
class _Request:
    """One request, its slots, and how much of it is still to be read.

    Args:
        entry: what followers get.
        first_slot: of the followers that it is for.
        last_slot: the last of them, included.
        shards_left: shards that hold followers who were not read yet.
        followers: how many were read.
    """

    entry: TimelineEntry
    first_slot: int
    last_slot: int
    shards_left: int = 0
    followers: int = 0

    @property
    def shards(self) -> range:
        return range(self.first_slot // SLOTS_PER_SHARD, self.last_slot // SLOTS_PER_SHARD + 1)


@dataclass(frozen=True, slots=True)
class _Page:
    """Followers of one request in one shard, in slot order, and where the page ends if there may be more behind it."""

    request: _Request
    shard: int
    follower_ids: Sequence[int]
    end: tuple[int, int] | None


class FanoutDelivery:
    """Delivers requested entries to the timelines that exist. Delivering again changes nothing.

    An author with few followers has them in the heads of the list, of which one read brings many authors'. Shards are
    read many at once too, and whatever one holds beyond its first page is read page by page: a request reaches every
    follower, however many there are by now.

    Args:
        rows: the followers.
        timelines: take the entries.
        lanes: shared by the lanes of a process.
        lane: which of them this is.
        page_followers: followers read at a time for one request.
        clock_ms: Unix milliseconds, for the metric of the delay.
    """

    def __init__(
        self,
        rows: RowStore,
        timelines: TimelineStore,
        lanes: Lanes | None = None,
        lane: Lane = ORDINARY,
        page_followers: int = PAGE_FOLLOWERS,
        clock_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._rows = rows
        self._timelines = timelines
        self._lanes = lanes or Lanes()
        self._lane = lane
        self._page_followers = page_followers
        self._clock_ms = clock_ms
        self._deliveries = metrics.DELIVERIES.labels(lane)
        self._followers = metrics.FANOUT_FOLLOWERS.labels(lane)
        self._seconds = metrics.FANOUT_SECONDS.labels(lane)

    async def do(self, batch: Batch) -> Done:
        """Deliver every request of the batch."""
        requests: list[_Request] = []
        failed: list[Dead] = []
        for recorded in batch.events:
            request = _request(recorded.event)
            if request is None:
                failed.append(Dead(batch.records[recorded.offset], f"unexpected: {recorded.event.type}"))
            else:
                requests.append(request)
        parts = [requests[first : first + _REQUESTS_AT_ONCE] for first in range(0, len(requests), _REQUESTS_AT_ONCE)]
        with self._lanes.ahead() if self._lane == PRIORITY else nullcontext():
            await bounded_map(self._deliver, parts, _PARTS_AT_ONCE)
        metrics.APPLIED.labels(NAME).inc(len(requests))
        return Done(failed=failed)

    async def _deliver(self, requests: Sequence[_Request]) -> None:
        """Deliver a few requests: heads, the first page of each shard, then what is left, a page of each at a time."""
        await self._turn()
        large = await self._deliver_small(requests)
        pages = await self._first_pages(large)
        while True:
            await self._hand_over(pages)
            left = [page for page in pages if page.end is not None]
            if not left:
                return
            await self._turn()
            pages = await bounded_map(self._next_page, left, _READS_AT_ONCE)

    async def _turn(self) -> None:
        if self._lane == ORDINARY:
            await self._lanes.turn()

    async def _deliver_small(self, requests: Sequence[_Request]) -> list[_Request]:
        """Deliver to the followers of authors with few of them; the requests that are left."""
        whole = [request for request in requests if len(request.shards) == FOLLOWER_SHARDS]
        authors = list(dict.fromkeys((request.entry.author_id,) for request in whole))
        heads = await self._rows.scan_partitions(FOLLOWER_HEADS, authors, limit=_SOURCES_MAX)
        found = {author_id: followers_in(rows) for (author_id,), rows in zip(authors, heads, strict=True)}
        small = [
            _Page(request, 0, follower_ids, None)
            for request in whole
            if (follower_ids := found[request.entry.author_id]) is not None
        ]
        for page in small:
            page.request.shards_left = 1
        await self._hand_over(small)
        done = {id(page.request) for page in small}
        return [request for request in requests if id(request) not in done]

    async def _first_pages(self, requests: Sequence[_Request]) -> list[_Page]:
        """Requests for several shards share a read with those for as many."""
        alike: dict[int, list[_Request]] = {}
        for request in requests:
            request.shards_left = len(request.shards)
            alike.setdefault(request.shards_left, []).append(request)
        pages: list[_Page] = []
        for shards, group in alike.items():
            if shards == 1:
                pages += await bounded_map(self._only_page, group, _READS_AT_ONCE)
                continue
            # Followers lie evenly in the shards, so that twice an even share is enough for nearly all.
            limit = max(1, 2 * self._page_followers // shards)
            places = [(request, shard) for request in group for shard in request.shards]
            partitions = list(dict.fromkeys((request.entry.author_id, shard) for request, shard in places))
            found = dict(
                zip(partitions, await self._rows.scan_partitions(FOLLOWERS, partitions, limit=limit), strict=True)
            )
            for request, shard in places:
                pages.append(_page(request, shard, found[request.entry.author_id, shard], limit))
        return pages

    async def _only_page(self, request: _Request) -> _Page:
        """The first page of a request that lies in one shard."""
        (shard,) = request.shards
        # A prefix of a key stands for all that begin with it: the rows behind it are those of the next slots.
        after = (request.first_slot - 1,) if request.first_slot % SLOTS_PER_SHARD else None
        return await self._read(request, shard, after)

    async def _next_page(self, page: _Page) -> _Page:
        return await self._read(page.request, page.shard, page.end)

    async def _read(self, request: _Request, shard: int, after: KeyTuple | None) -> _Page:
        partition, limit = (request.entry.author_id, shard), self._page_followers
        ends_here = request.last_slot < (shard + 1) * SLOTS_PER_SHARD - 1
        until = (request.last_slot,) if ends_here else None
        rows = await self._rows.scan(FOLLOWERS, partition, after=after, until=until, limit=limit)
        return _page(request, shard, rows, limit)

    async def _hand_over(self, pages: Sequence[_Page]) -> None:
        """Let the timelines take these pages, each request's in slot order."""
        found: dict[int, tuple[_Request, list[int]]] = {}
        for page in pages:
            _, follower_ids = found.setdefault(id(page.request), (page.request, []))
            follower_ids += page.follower_ids
            page.request.followers += len(page.follower_ids)
            page.request.shards_left -= page.end is None
        deliveries = [Delivery(request.entry, tuple(ids)) for request, ids in found.values() if ids]
        if deliveries:
            self._deliveries.inc(await self._timelines.deliver(deliveries))
        for request, _ in found.values():
            if request.shards_left == 0:
                self._followers.observe(request.followers)
                self._seconds.observe(max(0, self._clock_ms() - request.entry.published_ms) / 1_000)


def _page(request: _Request, shard: int, rows: Sequence[FollowerRow], limit: int) -> _Page:
    end = (rows[-1].slot, rows[-1].follower_id) if len(rows) == limit else None
    return _Page(request, shard, [row.follower_id for row in rows], end)


def _request(event: Event) -> _Request | None:
    """What is asked for; None where the event is none of ours, or names slots that there are not."""
    if not isinstance(event, FanoutRequested):
        return None
    first_slot, last_slot = event.first_slot, event.last_slot
    if first_slot < 0:
        first_slot = event.shard * SLOTS_PER_SHARD
        last_slot = first_slot + SLOTS_PER_SHARD - 1
    if not 0 <= first_slot <= last_slot < SLOTS:
        return None
    entry = TimelineEntry(event.published_ms, event.post_id, event.author_id, event.delivery == "pull")
    return _Request(entry, first_slot, last_slot)
