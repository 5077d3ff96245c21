"""Tells time to partitions in which nothing happens, so that the windows of those in which something does close.

A window is closed once every partition has come behind its end. A tick says that a partition has: that all which
happened up to its time, less what is allowed for lateness, is in front of it. So it is appended only where the jobs
that fill the topic have passed all that the log held at that time; while they lag, windows wait and nothing is late.

Not waiting for partitions that are idle would be simpler, and wrong whenever one wakes up behind the others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

import structlog

from photolog.errors import PhotologError
from photolog.log.bulk import Appended
from photolog.log.record import event_headers
from projections.comments import COMMENTS_PROJECTION
from projections.fold import Projection
from projections.likes import LIKES_PROJECTION
from projections.posts import POSTS_PROJECTION
from projections.saves import SAVES_PROJECTION
from projections.shares import SHARES_PROJECTION
from projections.stores.port import Source, StoredPosition
from schemas.events import Event, HashtagUsed, PostEngaged, PostViewed
from schemas.serde import SCHEMAS, Serde

_NAMESPACE = uuid5(NAMESPACE_URL, "photolog:ticks")
_CORRELATION = "tick"
logger = structlog.get_logger(__name__)
Ends = Mapping[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class Ticked:
    """A topic that is told time.

    Args:
        event: its event type.
        tick: the event of that type by which nothing happened, at a time, Unix ms.
        filled_by: the projections whose jobs append to it; none where clients' requests do.
    """

    event: type[Event]
    tick: Callable[[int], Event]
    filled_by: tuple[Projection, ...]


TICKED = (
    Ticked(
        HashtagUsed,
        lambda at_ms: HashtagUsed(post_id=0, owner_id=0, hashtag="", coarse_cell="", at_ms=at_ms),
        (POSTS_PROJECTION,),
    ),
    Ticked(
        PostEngaged,
        lambda at_ms: PostEngaged(actor_id=0, post_id=0, owner_id=0, action="tick", at_ms=at_ms),
        (LIKES_PROJECTION, COMMENTS_PROJECTION, SHARES_PROJECTION, SAVES_PROJECTION),
    ),
    Ticked(
        PostViewed,
        lambda at_ms: PostViewed(viewer_id=0, post_id=0, owner_id=0, surface="feed", at_ms=at_ms, sample_rate=1.0),
        (),
    ),
)


@dataclass(frozen=True, slots=True)
class TickPorts:
    """What ticking works with.

    Args:
        ends: where topics end.
        positions: how far a projection is.
        append: takes records.
        serde: the codec.
        clock_ms: Unix milliseconds.
    """

    ends: Callable[[Sequence[str]], Awaitable[Ends]]
    positions: Callable[[str], Awaitable[Mapping[Source, StoredPosition]]]
    append: Callable[[Sequence[Appended]], Awaitable[None]]
    serde: Serde
    clock_ms: Callable[[], int]


async def keep_ticking(ports: TickPorts, every_ms: int) -> None:
    """Tick, for ever."""
    while True:
        await asyncio.sleep(every_ms / 1_000)
        try:
            await tick(ports)
        except PhotologError as error:
            logger.warning("no-ticks", cause=str(error))


async def tick(ports: TickPorts) -> list[str]:
    """Tell the time to every topic whose jobs have caught up; the names of these topics.

    Raises:
        PhotologError: the log or the rows do not answer; nothing is lost by leaving a tick out.
    """
    told = []
    for ticked in TICKED:
        topic = SCHEMAS[ticked.event].topic.name
        at_ms = ports.clock_ms()
        folded = [folded.name for projection in ticked.filled_by for folded in projection.topics]
        ends = await ports.ends([topic, *folded])
        if not all([await _is_caught_up(ports, projection, ends) for projection in ticked.filled_by]):
            continue
        partitions = sorted(partition for name, partition in ends if name == topic)
        await ports.append([_record(ports.serde, ticked.tick(at_ms), topic, number, at_ms) for number in partitions])
        told.append(topic)
    return told


async def _is_caught_up(ports: TickPorts, projection: Projection, ends: Ends) -> bool:
    held = await ports.positions(projection.name)
    reached = {(source.topic, source.partition): position.next_offset for source, position in held.items()}
    topics = {topic.name for topic in projection.topics}
    return all(reached.get(place, 0) >= end for place, end in ends.items() if place[0] in topics)


def _record(serde: Serde, event: Event, topic: str, partition: int, at_ms: int) -> Appended:
    event_id = uuid5(_NAMESPACE, f"{topic}/{partition}/{at_ms}")
    return Appended(
        topic,
        partition,
        SCHEMAS[type(event)].topic.key(event).encode(),
        serde.encode(event, lambda _: None),
        event_headers(event_id, event.type, at_ms, _CORRELATION),
        at_ms,
    )
