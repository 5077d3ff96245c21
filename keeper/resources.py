"""What the keeper works with, wired once by keeper/bootstrap.py; tests wire memory adapters instead."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from keeper.read_models import ReadModels
from keeper.rules import Told
from photolog.ids import now_ms
from photolog.log.record import EncodedRecord
from photolog.media.files import MediaFiles
from photolog.positions import Position
from projections.media import MEDIA, MEDIA_PROJECTION, MediaRow
from projections.posts import POSTS_PROJECTION
from projections.stores.port import RowStore
from projections.stories import STORIES_PROJECTION
from schemas.derived import DerivedEvent, derived_record
from schemas.events import Event
from schemas.serde import Serde

HOLDERS = (POSTS_PROJECTION, STORIES_PROJECTION)
"""The read models of what holds media."""


class Log(Protocol):
    """Where the keeper appends: `photolog.log.producer.LogProducer`."""

    async def append_all(self, records: Sequence[EncodedRecord]) -> list[Position]:
        """Append in order; the answer comes when all are acknowledged."""


class Ends(Protocol):
    """Where topics end: `photolog.log.ends.KafkaEnds`."""

    async def ends(self) -> Mapping[tuple[str, int], int]:
        """For each partition the offset of its next record, as it was a moment ago."""


class Objects(Protocol):
    """The bucket: `photolog.engines.object_store.ObjectStore`."""

    async def copy(self, key: str, to_key: str) -> None:
        """Copy an object within the bucket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeeperResources:
    """The ports of one keeper.

    Args:
        rows: media, posts, stories and accounts.
        models: how far these are.
        log: takes events.
        holders_ends: where the logs of posts and of stories end.
        serde: the codec.
        objects: the bucket of media.
        files: removes from it.
        settle_seconds: after so long no command that read a row before reaches the log any more.
        reading_seconds: after so long nobody reads by a row of before.
        clock_ms: Unix milliseconds.
        sleep: waits for so many seconds.
    """

    rows: RowStore
    models: ReadModels
    log: Log
    holders_ends: Ends
    serde: Serde
    objects: Objects
    files: MediaFiles
    settle_seconds: float
    reading_seconds: float
    clock_ms: Callable[[], int] = now_ms
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def append(self, told: Told, event: Event, identity: str) -> None:
        """Append what follows from an event; the same identity is the same event. Raises LogUnavailable."""
        derived = DerivedEvent(event, identity, self.clock_ms(), told.record)
        await self.log.append_all([derived_record(self.serde, derived)])

    async def media_of(self, told: Told) -> MediaRow | None:
        """The row that an event of media is about, once it is folded; None where it was put aside, and comes by here
        again when it is retried. Raises StoreUnavailable."""
        await self.models.past(MEDIA_PROJECTION.name, [told.position])
        return await self.rows.get(MEDIA.key(told.event.media_id))

    async def past_holders(self) -> None:
        """Return once the posts and stories that are acknowledged by now are in their rows.

        Raises:
            StoreUnavailable, LogUnavailable: to be asked again.
        """
        ends = await self.holders_ends.ends()
        for holder in HOLDERS:
            topics = {topic.name for topic in holder.topics}
            last = [Position(*place, end - 1) for place, end in ends.items() if place[0] in topics and end > 0]
            await self.models.past(holder.name, last)
