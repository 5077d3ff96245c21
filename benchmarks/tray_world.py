"""Somebody who follows five hundred accounts, two in five of them with stories, straight into rows."""

from collections.abc import Iterator, Sequence

import msgspec

from benchmarks.feed_world import account_row, followed
from photolog.engines.cassandra_session import CassandraSession
from photolog.ids import SnowflakeSource, now_ms
from photolog.settings import Settings
from projections.accounts import ACCOUNTS
from projections.close_friends import CLOSE_FRIENDS, CloseFriendRow
from projections.seen_stories import SEEN_STORIES, SeenStoryRow
from projections.stores.cassandra_rows import CassandraRows
from projections.stories import LIVE_STORIES, LiveStoryRow
from projections.writes import Positioned, Write, put
from schemas.events import MediaItem

FOLLOWEES, WITH_STORIES, STORIES_EACH = 500, 200, 3
_CLOSE_EVERY, _SEEN_EVERY = 10, 2
_HOUR_MS = 3_600_000


async def seed(settings: Settings, viewer_id: int) -> Sequence[int]:
    """Write rows: no job runs here. Answers whom the viewer follows, those with stories first."""
    ids = SnowflakeSource(1_022)
    owner_ids = [ids.next() for _ in range(FOLLOWEES)]
    session = await CassandraSession.connect(settings.cassandra)
    try:
        await CassandraRows(session).apply([[Positioned(write, 0) for write in _world(ids, viewer_id, owner_ids)]])
    finally:
        await session.close()
    return owner_ids


def _world(ids: SnowflakeSource, viewer_id: int, owner_ids: Sequence[int]) -> Iterator[Write]:
    now = now_ms()
    for number, owner_id in enumerate(owner_ids):
        yield put(ACCOUNTS, account_row(owner_id, f"owner_{number}", now))
        yield from followed(viewer_id, owner_id, now)
        if number % _CLOSE_EVERY == 0:
            yield put(CLOSE_FRIENDS, CloseFriendRow(owner_id=owner_id, friend_id=viewer_id, since_ms=now))
        if number < WITH_STORIES:
            yield from _stories(ids, viewer_id, owner_id, number, now - _HOUR_MS + number)


def _stories(ids: SnowflakeSource, viewer_id: int, owner_id: int, number: int, at_ms: int) -> Iterator[Write]:
    for turn in range(STORIES_EACH):
        story_id, published_ms = ids.next(), at_ms + 1_000 * turn
        media = MediaItem(media_id=ids.next(), width=1_080, height=1_920, variants=["w640.jpeg"])
        ends_ms = published_ms + 24 * _HOUR_MS
        yield put(
            LIVE_STORIES,
            LiveStoryRow(
                owner_id=owner_id,
                expires_ms=ends_ms,
                story_id=story_id,
                published_ms=published_ms,
                audience="close_friends" if number % _CLOSE_EVERY == 0 and turn == 0 else "everyone",
                alt_text=None,
                media=msgspec.json.encode(media),
            ),
        )
        if number % _SEEN_EVERY == 0:
            row = SeenStoryRow(viewer_id=viewer_id, published_ms=published_ms, story_id=story_id, expires_ms=ends_ms)
            yield put(SEEN_STORIES, row)
