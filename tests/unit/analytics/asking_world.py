"""People in memory, part of whose doings are exported, and somebody who asks."""

import random
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from analytics.asking import Asking, events_in
from analytics.audience import Audience, nobody_in_particular
from analytics.bootstrap import NoKeys
from analytics.database import Answer, QueryBounds, opened
from analytics.exporting import Bounds, Exporter, Ports
from analytics.sources import Sources, Span
from analytics.tally import Tally
from gateway.public_events import PublicView
from gateway.streams.filters import PUBLIC, Filter
from gateway.streams.pseudonyms import Pseudonyms
from gateway.waiting import PositionWaiter
from photolog.log.record import StoredRecord
from photolog.log.slices import Place
from schemas import events as e
from schemas.topics import TOPICS
from streams.decoding import Decoder
from tests.unit.analytics.world import MemoryFiles, MemoryGrowths, MemoryPositions
from tests.unit.gateway.stream_log import PARTITION
from tests.unit.gateway.streams.scene import Scene
from tests.unit.photolog.kafka_client import MemoryClient

BOUNDS = QueryBounds(memory_bytes=128 << 20, disk_bytes=1 << 30, seconds=30.0, rows=100)
EVERYTHING = Span()


class AskingWorld(Scene):
    """A scene, its exports, and its analysts.

    `names` tells pseudonyms of the last audience by what people are called.
    """

    def __init__(self) -> None:
        super().__init__()
        self.files, self.positions = MemoryFiles(), MemoryPositions()
        self.people: dict[str, int] = {}

    def at(self, text: str) -> None:
        """Have what happens next happen then, UTC."""
        self.river.now_ms = int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000) - 1_000

    async def signs_up(self, *names: str) -> None:
        """People with names, of whom only this world knows."""
        for name in names:
            self.people[name] = await self.person()

    async def export(self) -> None:
        """What `bin/photolog export` does."""
        await Exporter(self.ports(), Tally(), Bounds(50, 1 << 20)).run(list(PUBLIC.values()))

    async def ask(
        self, sql: str, audience: Audience | None = None, span: Span = EVERYTHING, bounds: QueryBounds = BOUNDS
    ) -> Answer:
        """What `bin/photolog query` does."""
        rows = self.river.rows
        waiter = PositionWaiter(rows, self.river.timelines, 2_000)

        async def ends(topics: Collection[str]) -> dict[Place, int]:
            return {place: end for place, end in (await self.river.ends()).items() if place[0] in topics}

        async def pin() -> None:
            """Nothing was ever rebuilt."""

        view = PublicView(rows, waiter, ends, pin, lambda: self.river.now_ms)
        with opened(bounds) as database:
            asking = Asking(Sources(self.ports()), view, ends, audience or nobody_in_particular(), database)
            return await asking.answer(sql, events_in(sql), span)

    async def told(self, sql: str, **asked: Any) -> list[tuple[Any, ...]]:
        """The rows of an answer."""
        return [tuple(row) for row in (await self.ask(sql, **asked)).rows]

    def ports(self) -> Ports:
        """The log and the bucket."""
        log: dict[Place, list[StoredRecord]] = {(topic.name, PARTITION): [] for topic in TOPICS}
        for offset, record in enumerate(self.river.records):
            log[record.topic, PARTITION].append(
                StoredRecord(
                    record.topic, PARTITION, offset, record.key, record.value, record.headers, record.timestamp_ms
                )
            )
        return Ports(
            reader=MemoryClient(log, chaos=random.Random(1)).reader(),
            growths=MemoryGrowths(),
            positions=self.positions,
            files=self.files,
            decoder=Decoder(self.river.serde, NoKeys()),
        )

    async def likes(self, who: str, post_id: int) -> None:
        """Somebody likes a post."""
        await self.happen(e.PostLiked(actor_id=self.people[who], post_id=post_id))

    async def follows(self, who: str, whom: str) -> None:
        """Somebody follows somebody."""
        await self.happen(
            e.FollowCreated(follower_id=self.people[who], followee_id=self.people[whom], wanted_status="active")
        )


def holder(grant_id: str, *types: str, sample: float = 1.0) -> Audience:
    """Whoever holds a grant of some types, of all where none is named."""
    return Audience(Filter(types or tuple(PUBLIC), sample), Pseudonyms(b"p" * 32, grant_id))
