"""Viewers' filters in Redis or Valkey: one string for each viewer and day, changed by scripts (scripts/seen.lua draws
it)."""

import secrets
from collections.abc import Sequence

from photolog.engines.redis_client import RedisClient
from photolog.ids import slot_of
from projections.generations import FIRST
from projections.seen_filter import FILLED, SIZES_BYTES, day_ends_ms, hashes_of, made_filter
from projections.seen_stories import SEEN_STORIES_PROJECTION
from projections.stores.generation_positions import Selected, first_generations
from projections.stores.redis_scripts import ScriptCall, ScriptRunner, script
from projections.stores.seen_port import SeenStory

_RECORD, _OPEN, _FILL = (script("seen", f"seen_{name}") for name in ("record", "open", "fill"))
_STORIES_PER_CALL = 500
_FILL_MS_MAX = 60_000
_Filter = tuple[int, int]  # viewer and day


class RedisSeen:
    """A `SeenFilters` in Redis.

    Args:
        client: a node's or a cluster's.
        selected: the generations of which rows are meant.
    """

    def __init__(self, client: RedisClient, selected: Selected = first_generations) -> None:
        self._runner = ScriptRunner(client)
        self._selected = selected

    async def read(self, viewer_id: int, days: Sequence[int]) -> list[bytes | None]:
        """See `SeenFilters.read`."""
        held = await self._runner.command("MGET", *(self._key(viewer_id, day) for day in days)) if days else []
        return [one if one is not None and one.startswith(FILLED) else None for one in held]

    async def record(self, seen: Sequence[SeenStory]) -> None:
        """See `SeenFilters.record`."""
        stories: dict[_Filter, list[int]] = {}
        for one in seen:
            stories.setdefault((one.viewer_id, one.day), []).append(one.story_id)
        parts = [
            (place, story_ids[first : first + _STORIES_PER_CALL])
            for place, story_ids in stories.items()
            for first in range(0, len(story_ids), _STORIES_PER_CALL)
        ]
        calls = [
            ScriptCall(_RECORD, [self._key(*place)], [SIZES_BYTES[-1], *_words(place[0], story_ids)])
            for place, story_ids in parts
        ]
        if calls:
            await self._runner.run(calls)

    async def open(self, viewer_id: int, day: int) -> str:
        """See `SeenFilters.open`."""
        call = ScriptCall(_OPEN, [self._key(viewer_id, day)], [secrets.token_hex(6), _FILL_MS_MAX])
        life: bytes = (await self._runner.run([call]))[0]
        return life.decode()

    async def fill(self, viewer_id: int, day: int, story_ids: Sequence[int], *, opened: str) -> None:
        """See `SeenFilters.fill`."""
        if opened:
            words: list[str | bytes | int] = [
                opened,
                day_ends_ms(day),
                made_filter(viewer_id, story_ids),
                SIZES_BYTES[-1],
            ]
            await self._runner.run([ScriptCall(_FILL, [self._key(viewer_id, day)], words)])

    async def drop(self, viewer_id: int, days: Sequence[int]) -> None:
        """See `SeenFilters.drop`."""
        if days:
            await self._runner.command("UNLINK", *(self._key(viewer_id, day) for day in days))

    def _key(self, viewer_id: int, day: int) -> bytes:
        return seen_key(viewer_id, day, self._selected().number(SEEN_STORIES_PROJECTION.name))


def seen_key(viewer_id: int, day: int, generation: int = FIRST) -> bytes:
    """Where a viewer's filter of a day lives."""
    name = b"seen" if generation == FIRST else b"seen@%d" % generation
    return b"%b:{%d}:%d:%d" % (name, slot_of(viewer_id), viewer_id, day)


def _words(viewer_id: int, story_ids: Sequence[int]) -> list[int]:
    pairs = hashes_of(viewer_id, story_ids)
    return [len(story_ids), *map(int, pairs.ravel())]
