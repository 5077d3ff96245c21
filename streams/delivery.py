"""Work of the `feed` job: a post to one shard of its author's followers, a page of them at a time."""

from collections.abc import Callable
from dataclasses import dataclass

from photolog.ids import now_ms
from projections.graph import FOLLOWERS, FollowerRow
from projections.stores.port import Delivery, RowStore, TimelineEntry, TimelineStore
from projections.tables import KeyTuple
from schemas.events import FanoutRequested
from streams import metrics
from streams.bounded import bounded_map
from streams.decoding import Dead
from streams.step import Batch, Done

NAME = "feed"
PAGE_FOLLOWERS = 1_000
_SHARDS_AT_ONCE = 64
_READS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class _Shard:
    """What is left of one request: the followers behind `after`, in slot order."""

    entry: TimelineEntry
    shard: int
    after: KeyTuple | None = None


class FanoutDelivery:
    """Delivers requested entries to the timelines that exist. Delivering again changes nothing.

    The requests of a batch advance together, a page each, so that small shards share a round trip to the timelines.

    Args:
        rows: the followers.
        timelines: take the entries.
        page_followers: followers read at a time.
        clock_ms: Unix milliseconds, for the metric of the delay.
    """

    def __init__(
        self,
        rows: RowStore,
        timelines: TimelineStore,
        page_followers: int = PAGE_FOLLOWERS,
        clock_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._rows = rows
        self._timelines = timelines
        self._page_followers = page_followers
        self._clock_ms = clock_ms

    async def do(self, batch: Batch) -> Done:
        """Deliver every request of the batch."""
        waiting: list[_Shard] = []
        failed: list[Dead] = []
        for recorded in batch.events:
            match recorded.event:
                case FanoutRequested() as event:
                    entry = TimelineEntry(event.published_ms, event.post_id, event.author_id, event.delivery == "pull")
                    waiting.append(_Shard(entry, event.shard))
                case other:
                    failed.append(Dead(batch.records[recorded.offset], f"unexpected: {other.type}"))
        while waiting:
            waiting = await self._advance(waiting[:_SHARDS_AT_ONCE]) + waiting[_SHARDS_AT_ONCE:]
        metrics.APPLIED.labels(NAME).inc(len(batch.events) - len(failed))
        return Done(failed=failed)

    async def _advance(self, shards: list[_Shard]) -> list[_Shard]:
        """Deliver a page of each shard; what is left of them."""
        pages = await bounded_map(self._page, shards, _READS_AT_ONCE)
        deliveries = [
            Delivery(shard.entry, tuple(follower.follower_id for follower in page))
            for shard, page in zip(shards, pages, strict=True)
            if page
        ]
        if deliveries:
            metrics.DELIVERIES.inc(await self._timelines.deliver(deliveries))
        left = []
        for shard, page in zip(shards, pages, strict=True):
            if len(page) == self._page_followers:
                left.append(_Shard(shard.entry, shard.shard, (page[-1].slot, page[-1].follower_id)))
            else:
                metrics.FANOUT_SECONDS.observe(max(0, self._clock_ms() - shard.entry.published_ms) / 1_000)
        return left

    async def _page(self, shard: _Shard) -> list[FollowerRow]:
        partition = (shard.entry.author_id, shard.shard)
        return await self._rows.scan(FOLLOWERS, partition, after=shard.after, limit=self._page_followers)
