"""What a viewer's filters of seen stories take of a server's memory, against a Bloom filter of the best length.

The server is asked (MEMORY USAGE), for all keys of the viewer together, with ten thousand stories that were seen one
after the other on two days. How they are spread over the days differs from round to round.
"""

import asyncio
import math
import random
import statistics
import tempfile
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from benchmarks.result import Result
from infra.local.ports import pick_free_port_base, ports_from
from infra.local.valkey_node import valkey_node
from photolog.engines.redis_client import connect_redis
from photolog.ids import now_ms
from photolog.settings import RedisSettings
from projections.seen_filter import DAY_MS, day_of, seen_in
from projections.seen_stories import SEEN_STORIES, SeenStoryRow
from projections.stores.memory_rows import MemoryRows
from projections.stores.redis_seen import RedisSeen, seen_key
from projections.stores.seen_port import SeenStory
from projections.stores.seen_reading import seen_among
from projections.writes import Positioned, put

_STORIES, _BATCH, _OTHERS = 10_000, 100, 50_000
_ERROR_RATE = 0.01
_OPTIMAL_BYTES = _STORIES * -math.log(_ERROR_RATE) / math.log(2) ** 2 / 8


def run(rounds: int = 5) -> list[Result]:
    """Stories a kibibyte."""
    with tempfile.TemporaryDirectory(prefix="photolog-seen-") as folder:
        port = ports_from(pick_free_port_base(["valkey"]))["valkey"]
        with valkey_node(Path(folder), port) as url:
            return [asyncio.run(_measured(url, rounds))]


async def _measured(url: str, rounds: int) -> Result:
    client = connect_redis(RedisSettings(url=SecretStr(url)))
    try:
        found = [await _one(client, viewer_id, random.Random(viewer_id)) for viewer_id in range(1, rounds + 1)]
    finally:
        await client.aclose()
    used, wrong = [one[0] for one in found], [one[1] for one in found]
    ratios = [_OPTIMAL_BYTES / size for size in used]
    return Result(
        "seen stories, memory",
        "stories/KiB",
        _STORIES / statistics.median(used) * 1_024,
        _STORIES / _OPTIMAL_BYTES * 1_024,
        "an optimal Bloom filter, without a server",
        statistics.median(ratios),
        (min(ratios), max(ratios)),
        round(1 / 1.3, 2),
        note=f"{max(used) / _OPTIMAL_BYTES:.2f} times its bytes at most, {max(wrong):.2%} false positives at most",
    )


async def _one(client: Any, viewer_id: int, drawn: random.Random) -> tuple[int, float]:
    """The bytes of a viewer's keys, and the share of other stories that they take for seen."""
    store, rows, today = RedisSeen(client), MemoryRows(), day_of(now_ms())
    share = drawn.random()
    days = [today - (drawn.random() < share) for _ in range(_STORIES)]
    for first in range(0, _STORIES, _BATCH):
        batch = [(drawn.getrandbits(62), day) for day in days[first : first + _BATCH]]
        await rows.apply([[Positioned(put(SEEN_STORIES, _row(viewer_id, *one)), first) for one in batch]])
        await store.record([SeenStory(viewer_id, day, story_id) for story_id, day in batch])
        # What looks makes a filter that is not there.
        await seen_among(rows, store, viewer_id, {1: today * DAY_MS, 2: (today - 1) * DAY_MS})
    both = (today, today - 1)
    used = sum([await client.memory_usage(seen_key(viewer_id, day), samples=0) or 0 for day in both])
    others = [drawn.getrandbits(62) for _ in range(_OTHERS)]
    held = await store.read(viewer_id, both)
    return used, max(float(seen_in(one, viewer_id, others).mean()) for one in held if one is not None)


def _row(viewer_id: int, story_id: int, day: int) -> SeenStoryRow:
    return SeenStoryRow(viewer_id=viewer_id, published_ms=day * DAY_MS, story_id=story_id, expires_ms=1 << 62)
