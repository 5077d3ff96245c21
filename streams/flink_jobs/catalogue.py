"""The jobs by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from schemas.events import EngagementMeasured, Event, EventCameLate, HashtagsRanked, StoryViewCounted
from streams.flink_jobs import engagement, story_views, trending

HOUR_MS = 3_600_000


def group_of(job: str) -> str:
    """The consumer group under which a job commits what its checkpoints hold, for people to see."""
    return f"photolog-flink-{job}"


@dataclass(frozen=True, slots=True)
class Job:
    """A job as SQL.

    Args:
        name: what the cluster shows it as.
        reads: events of the topics that it reads.
        writes: events that it appends.
        views: its views, made with how late a record may be, in ms.
        insertions: what it appends.
        state_ms: how long keyed state without a window is kept that nothing touches.
    """

    name: str
    reads: tuple[type[Event], ...]
    writes: tuple[type[Event], ...]
    views: Callable[[int], Sequence[str]]
    insertions: Callable[[], Sequence[str]]
    state_ms: int


JOBS: Mapping[str, Job] = {
    job.name: job
    for job in (
        Job(
            trending.NAME,
            trending.READS,
            (HashtagsRanked, EventCameLate),
            trending.views,
            trending.insertions,
            2 * HOUR_MS,
        ),
        Job(
            story_views.NAME,
            story_views.READS,
            (StoryViewCounted,),
            story_views.views,
            story_views.insertions,
            story_views.STATE_MS,
        ),
        Job(
            engagement.NAME,
            engagement.READS,
            (EngagementMeasured, EventCameLate),
            engagement.views,
            engagement.insertions,
            2 * HOUR_MS,
        ),
    )
}
