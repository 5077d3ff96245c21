"""Time is told where all that happened before it is in front of it, and nowhere else."""

from collections.abc import Mapping, Sequence

from photolog.log.bulk import Appended
from projections.stores.port import Source, StoredPosition
from schemas.events import HashtagUsed, PostEngaged, PostViewed
from schemas.topics import COMMENTS, HASHTAG_USES, LIKES, POST_ENGAGEMENT, POST_VIEWS, POSTS, SAVES, SHARES
from streams.flink_cluster.ticking import TICKED, TickPorts, tick
from tests.unit.schemas.samples import SERDE

NOW_MS = 1_700_000_000_000
ENDS = {
    (topic.name, partition): 10
    for topic in (POSTS, LIKES, COMMENTS, SHARES, SAVES, HASHTAG_USES, POST_ENGAGEMENT, POST_VIEWS)
    for partition in range(2)
}


class River:
    """Topics that end at ten, and jobs that have come so far."""

    def __init__(self, **behind: int) -> None:
        self.appended: list[Appended] = []
        self._behind = behind

    async def ends(self, topics: Sequence[str]) -> Mapping[tuple[str, int], int]:
        return {place: end for place, end in ENDS.items() if place[0] in topics}

    async def positions(self, projection: str) -> Mapping[Source, StoredPosition]:
        missing = self._behind.get(projection, 0)
        topics = {"posts": POSTS, "likes": LIKES, "comments": COMMENTS, "shares": SHARES, "saves": SAVES}
        name = topics[projection].name
        return {Source(projection, name, partition): StoredPosition(10 - missing * partition) for partition in range(2)}

    async def append(self, records: Sequence[Appended]) -> None:
        self.appended += records

    def ports(self) -> TickPorts:
        return TickPorts(self.ends, self.positions, self.append, SERDE, lambda: NOW_MS)


async def test_every_partition_is_told_the_time_once_all_jobs_caught_up() -> None:
    river = River()
    assert await tick(river.ports()) == [HASHTAG_USES.name, POST_ENGAGEMENT.name, POST_VIEWS.name]
    places = [(record.topic, record.partition) for record in river.appended]
    assert places == [
        (topic.name, number) for topic in (HASHTAG_USES, POST_ENGAGEMENT, POST_VIEWS) for number in (0, 1)
    ]
    for record in river.appended:
        told = SERDE.open_record(SERDE.parse(record.value), lambda _: None)
        assert isinstance(told, HashtagUsed | PostEngaged | PostViewed)
        assert (told.at_ms, record.timestamp_ms) == (NOW_MS, NOW_MS)
        assert told.post_id == 0


async def test_a_topic_whose_job_lags_in_one_partition_is_told_nothing() -> None:
    assert await tick(River(posts=1).ports()) == [POST_ENGAGEMENT.name, POST_VIEWS.name]
    assert await tick(River(saves=1).ports()) == [HASHTAG_USES.name, POST_VIEWS.name]


async def test_a_job_that_never_began_lags() -> None:
    river = River()

    async def nowhere(projection: str) -> Mapping[Source, StoredPosition]:
        return {}

    ports = TickPorts(river.ends, nowhere, river.append, SERDE, lambda: NOW_MS)
    assert await tick(ports) == [POST_VIEWS.name]


def test_ticks_are_of_every_topic_that_windows_are_cut_of() -> None:
    assert [ticked.event for ticked in TICKED] == [HashtagUsed, PostEngaged, PostViewed]
