"""A tray of stories for somebody who follows 500 accounts, against one pipelined batch that reads the same keys behind
the same server and authentication, and makes nothing of them: as redis-py sends it, and as quickly as it can be sent.

Real uvicorn, Redis and Cassandra; the load comes from another process. The caches are warm.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

import httpx
import msgspec

from benchmarks.feed_gateway import Serving, Viewer, page_load, rate, serving, sign_in
from benchmarks.result import Result, paired
from benchmarks.tray_server import COMMANDS_KEY
from benchmarks.tray_world import FOLLOWEES, STORIES_EACH, WITH_STORIES, seed
from photolog.engines.redis_client import connect_redis
from photolog.ids import now_ms
from photolog.settings import Settings
from projections.cards import account_key
from projections.followees import followees_key
from projections.relations import relations_key
from projections.seen_filter import day_of
from projections.stores.redis_seen import seen_key
from projections.story_cards import close_friends_key
from projections.user_stories import LIVE, user_stories_key

_PATH, _REQUESTS = "/v1/stories/tray", 400
# The path of each opponent, and how many requests it gets in a round.
_OPPONENTS = {
    "redis-py's pipeline of the same keys": ("/bench/tray", 40, 0.4),
    "the same batch, packed once, on a bare socket": ("/bench/tray-bare", 1_000, None),
}


def run(rounds: int = 5) -> list[Result]:
    """Requests a second."""
    with serving("benchmarks.tray_server") as gateway:
        viewer = sign_in(gateway, "viewer")
        owner_ids = asyncio.run(seed(gateway.settings, viewer.account_id))
        size_bytes = _warm(gateway, viewer)
        asyncio.run(_tell(gateway.settings, viewer.account_id, owner_ids))
        ours = partial(rate, page_load(gateway, viewer, _PATH, _REQUESTS))
        return [
            paired(
                f"tray, {FOLLOWEES} followees",
                "requests/s",
                ours,
                partial(rate, page_load(gateway, viewer, path, requests)),
                opponent_name=name,
                aim=aim,
                rounds=rounds,
                note=f"{WITH_STORIES} with {STORIES_EACH} stories each, {size_bytes:,} bytes",
            )
            for name, (path, requests, aim) in _OPPONENTS.items()
        ]


def _warm(gateway: Serving, viewer: Viewer) -> int:
    """Look until the tray is whole, and once more.

    Raises:
        RuntimeError: it is not what was seeded.
    """
    headers = {"authorization": f"Bearer {viewer.token}"}
    with httpx.Client(base_url=gateway.address, timeout=60, headers=headers) as client:
        for _ in range(3):
            answer = client.get(_PATH).raise_for_status()
    told = answer.json()
    if len(told["items"]) != WITH_STORIES or not told["whole"]:
        raise RuntimeError(f"the tray has {len(told['items'])} accounts, not {WITH_STORIES}")
    return len(answer.content)


async def _tell(settings: Settings, viewer_id: int, owner_ids: Sequence[int]) -> None:
    """Leave the commands of the batch where the opponent finds them."""
    client = connect_redis(settings.redis)
    today, with_stories = day_of(now_ms()), owner_ids[:WITH_STORIES]
    fields = [str(owner_id) for owner_id in with_stories]
    commands = [
        ["HGETALL", followees_key(viewer_id)],
        *(["HMGET", user_stories_key(owner_id), LIVE] for owner_id in (viewer_id, *owner_ids)),
        *(["HMGET", *account_key(owner_id)] for owner_id in with_stories),
        ["HMGET", relations_key(viewer_id), *fields],
        ["HMGET", close_friends_key(viewer_id), *fields[::10]],
        ["MGET", *(seen_key(viewer_id, day).decode() for day in (today, today - 1))],
    ]
    try:
        await client.set(COMMANDS_KEY, msgspec.json.encode(commands))
    finally:
        await client.aclose()
