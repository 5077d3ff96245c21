"""Keeping the cached lists of owners' live stories up to date behind their rows."""

from functools import partial

from projections.stores.port import CacheWrite, RowStore, VersionedCache
from projections.stores.user_stories_reading import read_user_stories
from projections.stories import story_event
from streams.bounded import bounded_map
from streams.folding import Folded
from streams.step import Outputs

_CONCURRENCY = 32


class UserStoriesReaction:
    """After stories: read their owners' live ones and write them through, as of the last event of each owner.

    Args:
        rows: live stories.
        cache: takes the lists.
    """

    def __init__(self, rows: RowStore, cache: VersionedCache) -> None:
        self._rows = rows
        self._cache = cache

    async def react(self, folded: Folded) -> Outputs:
        """Do it; nothing is appended."""
        places = {story_event(recorded).owner_id: recorded.place for recorded in folded.batch.events}
        if places:
            writes = await bounded_map(partial(self._read, places), sorted(places), _CONCURRENCY)
            await self._cache.merge(writes)
        return {}

    async def _read(self, places: dict[int, int], owner_id: int) -> CacheWrite:
        return await read_user_stories(self._rows, owner_id, places[owner_id])
