"""When a story is shown: once its photograph or clip is ready and allowed, for a day from then on.

Decided as posts are (`streams/publication.py`): beside the folds, from rows of two projections, by whichever job wrote
the later of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from photolog.ids import now_ms
from photolog.log.record import StoredRecord
from projections.media import MEDIA, MediaEvent, MediaRow
from projections.stores.port import RowStore
from projections.stories import MEDIA_STORIES, STORIES, StoryRow, story_event
from schemas import events as e
from schemas.derived import DerivedEvent
from streams.bounded import bounded_map
from streams.emission import Emitter
from streams.folding import Folded
from streams.publication import item_of, objection_to
from streams.step import Outputs

CLIP_MS_MAX = 15_000
"""How long a story's clip may be. An upload for a story is cut off there already; one for something else is not."""
TOO_LONG = "too-long"
_GRACE_MS = 500
"""A container tells a clip's length to the frame and not to the millisecond."""
_STORIES_PER_MEDIUM_MAX = 100
_CONCURRENCY = 32
Candidate = tuple[StoryRow, StoredRecord]
"""A story, and the record because of which it is looked at."""


def story_publication(
    story: StoryRow, medium: MediaRow | None, at_ms: int, life_ms: int
) -> e.StoryPublished | e.StoryRejected | None:
    """What is to become of a story.

    Args:
        story: the story.
        medium: its photograph or clip, None while nothing is known of it.
        at_ms: the time of publication, Unix ms.
        life_ms: how long it is shown.

    Returns:
        None while the medium or a verdict about it is outstanding, or where the story is no longer waiting.
    """
    if story.status != "processing" or medium is None:
        return None
    reason = objection_to(medium)
    if reason is None and medium.duration_ms > CLIP_MS_MAX + _GRACE_MS:
        reason = TOO_LONG
    if reason is not None:
        return e.StoryRejected(
            story_id=story.story_id, owner_id=story.owner_id, media_id=story.media_id, reason=reason, rule=medium.rule
        )
    if not medium.is_usable:
        return None
    return e.StoryPublished(
        story_id=story.story_id,
        owner_id=story.owner_id,
        published_ms=at_ms,
        expires_ms=at_ms + life_ms,
        media=item_of(medium),
    )


@dataclass(frozen=True, slots=True)
class StoryPublisher:
    """Looks at stories and appends what is decided about them.

    Args:
        rows: stories and media.
        emitter: takes the decisions.
        life_ms: how long a story is shown.
        clock_ms: Unix milliseconds.
    """

    rows: RowStore
    emitter: Emitter
    life_ms: int
    clock_ms: Callable[[], int] = now_ms

    async def consider(self, candidates: Sequence[Candidate]) -> Outputs:
        """Append a decision for each story that is ready for one; answers where they landed."""
        waiting = [(story, cause) for story, cause in candidates if story.status == "processing"]
        media = await self.rows.get_many([MEDIA.key(story.media_id) for story, _ in waiting])
        now_ms = self.clock_ms()
        decided = []
        for (story, cause), medium in zip(waiting, media, strict=True):
            # Never before what led to it: a clock that was set back would publish what is over.
            at_ms = max(now_ms, cause.timestamp_ms)
            event = story_publication(story, medium, at_ms, self.life_ms)
            if event is not None:
                decided.append(DerivedEvent(event, f"publication/{story.story_id}", at_ms, cause))
        return await self.emitter.emit(decided)


@dataclass(frozen=True, slots=True)
class StoriesReaction:
    """After stories: decide about new ones."""

    publisher: StoryPublisher

    async def react(self, folded: Folded) -> Outputs:
        """Look at every story that was created in the batch, as it is after the batch."""
        found = []
        for recorded in folded.batch.events:
            if isinstance(recorded.event, e.StoryCreated):
                story = folded.row(STORIES.key(story_event(recorded).story_id))
                if story is not None:
                    found.append((story, folded.cause(recorded)))
        return await self.publisher.consider(found)


@dataclass(frozen=True, slots=True)
class MediaStoriesReaction:
    """After media: decide about the stories that wait for them."""

    publisher: StoryPublisher

    async def react(self, folded: Folded) -> Outputs:
        """Look at every story that shows a medium of the batch, whatever became of that."""
        causes = {
            recorded.event.media_id: folded.cause(recorded)
            for recorded in folded.batch.events
            if isinstance(recorded.event, MediaEvent)
        }
        rows = self.publisher.rows

        async def shown_by(media_id: int) -> list[Candidate]:
            held = await rows.scan(MEDIA_STORIES, (media_id,), limit=_STORIES_PER_MEDIUM_MAX)
            stories = await rows.get_many([STORIES.key(row.story_id) for row in held])
            return [(story, causes[media_id]) for story in stories if story is not None]

        found = await bounded_map(shown_by, list(causes), _CONCURRENCY)
        return await self.publisher.consider([one for stories in found for one in stories])
