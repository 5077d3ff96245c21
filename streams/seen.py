"""Keeping viewers' filters of seen stories up to date behind their rows."""

from projections.seen_filter import day_of
from projections.seen_stories import viewed
from projections.stores.seen_port import SeenFilters, SeenStory
from streams.folding import Folded
from streams.step import Outputs


class SeenReaction:
    """After views of stories: take them into the filters of those who read theirs.

    Args:
        filters: the viewers' filters.
    """

    def __init__(self, filters: SeenFilters) -> None:
        self._filters = filters

    async def react(self, folded: Folded) -> Outputs:
        """Do it; nothing is appended."""
        views = {viewed(recorded) for recorded in folded.batch.events}
        await self._filters.record(
            [SeenStory(view.viewer_id, day_of(view.published_ms), view.story_id) for view in views]
        )
        return {}
