"""When the demo's hashtags must trend, and whether they do: Flink tells an hour every five minutes, once it is over."""

from collections.abc import Iterable
from datetime import datetime

from cli.demo_life import Lived
from cli.demo_world import PRIVATE_PERSON, World
from photolog.client import Client
from photolog.client.told_stories import Trending
from photolog.ids import now_ms
from photolog.settings import FlinkSettings
from streams.flink_jobs.trending import SLIDE_MS

DUE_AFTER_MS: int = (
    FlinkSettings.model_fields["lateness_ms"].default + 30_000
)  # the ticks, the job and the fold besides
LISTED_MAX = 500
Use = tuple[int, int, str]


class Trends:
    """What trends of a world.

    Args:
        uses: who used which hashtag in a post that anybody may see, and when: (Unix ms, person, hashtag).
    """

    def __init__(self, uses: Iterable[Use]) -> None:
        self._uses = sorted(uses)
        first_ms = self._uses[0][0] if self._uses else now_ms()
        self._first_end_ms = (first_ms // SLIDE_MS + 1) * SLIDE_MS

    @property
    def due_ms(self) -> int:
        """When there is a list at the latest, Unix ms."""
        return self._first_end_ms + DUE_AFTER_MS

    async def failure(self, client: Client) -> str | None:
        """What is not as it must be; None where all is, or where no list is due yet."""
        told = await client.trending(LISTED_MAX)
        end_ms = 0 if told.window_end is None else _ms(told.window_end)
        if end_ms < self._first_end_ms:
            return None if now_ms() < self.due_ms else f"no hashtag trends; the last window that is told ends {end_ms}"
        return self._difference(told, end_ms)

    def _difference(self, told: Trending, end_ms: int) -> str | None:
        """Each hashtag of the window has at least this world's people; an earlier world may have added its own."""
        start_ms = 0 if told.window_start is None else _ms(told.window_start)
        people: dict[str, set[int]] = {}
        for at_ms, person, hashtag in self._uses:
            if start_ms <= at_ms < end_ms:
                people.setdefault(hashtag, set()).add(person)
        found = {one.hashtag: one.people for one in told.hashtags}
        few = sorted(hashtag for hashtag, used_by in people.items() if found.get(hashtag, 0) < len(used_by))
        return f"too few people of {few} in what trends" if few else None


def trends_of(world: World, lived: Lived) -> Trends:
    """The uses of hashtags in a world that has been lived."""
    return Trends(
        (lived.posts[number].published_ms, post.author, hashtag)
        for number, post in enumerate(world.posts)
        if post.author != PRIVATE_PERSON
        for hashtag in post.hashtags
    )


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000)
