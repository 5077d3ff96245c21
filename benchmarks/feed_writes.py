"""Posts and likes at an even pace, appended as commands append them, until it is told to end.

Usage: `python -m benchmarks.feed_writes`, a JSON `Writes` on its standard input.
"""

import asyncio
import random
import sys
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec

from photolog.ids import SnowflakeSource, new_event_id, now_ms
from photolog.log.record import EncodedRecord, event_headers
from photolog.settings import load_settings
from schemas import events as e
from schemas.serde import SCHEMAS
from schemas.topics import topic_of
from streams.bootstrap import connect
from streams.jobs import JobResources

_RECENT_POSTS = 50


class Writes(msgspec.Struct, frozen=True, kw_only=True):
    """What to write.

    Args:
        author_ids: who posts, in turn.
        posts_per_second: how many posts.
        likes_per_post: how many likes of recent posts go with each.
    """

    author_ids: list[int]
    posts_per_second: float
    likes_per_post: int


async def run(writes: Writes) -> None:
    """Write for ever."""
    async with connect(load_settings()) as resources:
        keys: Any = resources.keys
        for author_id in writes.author_ids:
            await keys.create(author_id)
        await keys.ensure(writes.author_ids)
        ids, recent, started = SnowflakeSource(1_022), deque[int](maxlen=_RECENT_POSTS), time.monotonic()
        number = 0
        while True:
            await asyncio.sleep(max(0.0, started + number / writes.posts_per_second - time.monotonic()))
            author_id = writes.author_ids[number % len(writes.author_ids)]
            events = _posted(ids, author_id)
            recent.append(events[0].post_id)
            actors = random.sample(writes.author_ids, writes.likes_per_post)
            liked = [e.PostLiked(actor_id=actor, post_id=random.choice(recent)) for actor in actors]
            await resources.log.append_all([_record(resources, event) for event in (*events, *liked)])
            number += 1


def _posted(ids: SnowflakeSource, author_id: int) -> tuple[e.PostCreated, e.MediaTranscodingCompleted]:
    post_id, media_id = ids.next(), ids.next()
    variant = e.MediaVariant(
        name="w320.jpeg", content_type="image/jpeg", width=320, height=200, size_bytes=9, object_key="benchmark"
    )
    return e.PostCreated(
        post_id=post_id,
        owner_id=author_id,
        media_ids=[media_id],
        alt_texts=[None],
        caption="One of many",
        mentions=[],
        location=None,
        hashtags=[],
        audience="public",
    ), e.MediaTranscodingCompleted(media_id=media_id, owner_id=author_id, width=640, height=400, variants=[variant])


def _record(resources: JobResources, event: e.Event) -> EncodedRecord:
    topic, at_ms = topic_of(type(event)), now_ms()
    subjects: Sequence[str] = tuple(SCHEMAS[type(event)].personal.values())
    key_of: Any = resources.keys.key_of if subjects else lambda _: None
    return EncodedRecord(
        topic=topic.name,
        key=topic.key(event).encode(),
        value=resources.serde.encode(event, key_of),
        headers=event_headers(new_event_id(), event.type, at_ms, "benchmark"),
        timestamp_ms=at_ms,
    )


if __name__ == "__main__":
    asyncio.run(run(msgspec.json.decode(sys.stdin.buffer.read(), type=Writes)))
