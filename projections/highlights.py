"""Highlights: stories that their owner keeps on the profile, under a title, when their day is over."""

from collections.abc import Sequence

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put, remove
from schemas import events as e
from schemas import topics


class HighlightRow(Row, frozen=True, kw_only=True):
    """A highlight, whole, as its owner saved it last."""

    highlight_id: int
    owner_id: int
    title: str | None
    story_ids: list[int]
    created_ms: int
    saved_ms: int


class OwnedHighlightRow(Row, frozen=True, kw_only=True):
    """A highlight in its owner's list, the newest first."""

    owner_id: int
    highlight_id: int


class HighlightedStoryRow(Row, frozen=True, kw_only=True):
    """In which highlights a story is kept, so that its picture is there for whom these are. `owner_id` is whose the
    highlight is, whoever made the story."""

    story_id: int
    highlight_id: int
    owner_id: int


HIGHLIGHTS = Table("highlights", HighlightRow, ("highlight_id",), aggregate=True)
HIGHLIGHTS_BY_OWNER = Table("highlights_by_owner", OwnedHighlightRow, ("owner_id",), ("-highlight_id",))
HIGHLIGHTED_STORIES = Table("highlighted_stories", HighlightedStoryRow, ("story_id",), ("highlight_id",))


class HighlightsProjection:
    """Folds highlights: each is what was saved last, until it is deleted."""

    name = "highlights"
    topics = (topics.HIGHLIGHTS,)

    def aggregate(self, recorded: Recorded) -> RowKey[HighlightRow]:
        """The highlight; its owner's key places it."""
        return HIGHLIGHTS.key(highlight_event(recorded).highlight_id)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """Nothing else."""
        return ()

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """Another's is not touched, and deleting what is not there changes nothing."""
        event = highlight_event(recorded)
        before = rows.get(HIGHLIGHTS.key(event.highlight_id))
        if before is not None and before.owner_id != event.owner_id:
            return ()
        match event:
            case e.HighlightSaved():
                return _saved(before, event, recorded.timestamp_ms)
            case e.HighlightDeleted() if before is not None:
                listed = HIGHLIGHTS_BY_OWNER.key(before.owner_id, before.highlight_id)
                return *_let_go(before), remove(listed), remove(HIGHLIGHTS.key_of(before))
        return ()


HighlightEvent = e.HighlightSaved | e.HighlightDeleted


def highlight_event(recorded: Recorded) -> HighlightEvent:
    """The event that a record of the topic holds. Raises TypeError for any other."""
    if isinstance(recorded.event, HighlightEvent):
        return recorded.event
    raise unfoldable(HighlightsProjection.name, recorded.event)


def _saved(before: HighlightRow | None, event: e.HighlightSaved, at_ms: int) -> Sequence[Write]:
    row = HighlightRow(
        highlight_id=event.highlight_id,
        owner_id=event.owner_id,
        title=event.title,
        story_ids=event.story_ids,
        created_ms=before.created_ms if before else at_ms,
        saved_ms=at_ms,
    )
    listed = OwnedHighlightRow(owner_id=event.owner_id, highlight_id=event.highlight_id)
    kept = [put(HIGHLIGHTED_STORIES, _kept(story_id, row)) for story_id in dict.fromkeys(row.story_ids)]
    gone = _let_go(before, keeping=row.story_ids) if before else []
    return *gone, *kept, put(HIGHLIGHTS_BY_OWNER, listed), put(HIGHLIGHTS, row)


def _kept(story_id: int, highlight: HighlightRow) -> HighlightedStoryRow:
    return HighlightedStoryRow(story_id=story_id, highlight_id=highlight.highlight_id, owner_id=highlight.owner_id)


def _let_go(before: HighlightRow, keeping: Sequence[int] = ()) -> list[Write]:
    gone = dict.fromkeys(one for one in before.story_ids if one not in keeping)
    return [remove(HIGHLIGHTED_STORIES.key(story_id, before.highlight_id)) for story_id in gone]


HIGHLIGHTS_PROJECTION = HighlightsProjection()
