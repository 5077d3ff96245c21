"""What viewers sent to the owner of a story: replies, the newest first, and the newest reaction of each.

It stays when the story's day is over, in its owner's archive.
"""

from collections.abc import Sequence

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put, remove
from schemas import events as e
from schemas import topics


class StoryReplyRow(Row, frozen=True, kw_only=True):
    """The row that decides whether a reply is there."""

    story_id: int
    reply_id: int
    sender_id: int


class ListedStoryReplyRow(Row, frozen=True, kw_only=True):
    """A reply under its story, with its text."""

    story_id: int
    reply_id: int
    sender_id: int
    text: str | None
    created_ms: int


class StoryReactionRow(Row, frozen=True, kw_only=True):
    """The newest reaction of a viewer to a story."""

    story_id: int
    sender_id: int
    reaction: str
    reacted_ms: int


class ListedStoryReactionRow(Row, frozen=True, kw_only=True):
    """The same in the story's list."""

    story_id: int
    reacted_ms: int
    sender_id: int
    reaction: str


STORY_REPLIES = Table("story_replies", StoryReplyRow, ("story_id", "reply_id"), aggregate=True)
STORY_REPLIES_LIST = Table("story_replies_list", ListedStoryReplyRow, ("story_id",), ("-reply_id",))
STORY_REACTIONS = Table("story_reactions", StoryReactionRow, ("story_id", "sender_id"), aggregate=True)
STORY_REACTIONS_LIST = Table(
    "story_reactions_list", ListedStoryReactionRow, ("story_id",), ("-reacted_ms", "-sender_id")
)


class StoryRepliesProjection:
    """Folds replies and reactions. Who may send one is the command's question."""

    name = "story_replies"
    topics = (topics.STORY_REPLIES,)

    def aggregate(self, recorded: Recorded) -> RowKey[Row]:
        """The reply, or the sender's reaction; the story's key places both."""
        match recorded.event:
            case e.StoryReplied() | e.StoryReplyDeleted() as event:
                return STORY_REPLIES.key(event.story_id, event.reply_id)
            case e.StoryReacted() | e.StoryReactionWithdrawn() as event:
                return STORY_REACTIONS.key(event.story_id, event.sender_id)
            case other:
                raise unfoldable(self.name, other)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """Nothing else."""
        return ()

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """Sending what is there, or taking back what is not or is another's, changes nothing."""
        match recorded.event:
            case e.StoryReplied() | e.StoryReplyDeleted() as event:
                return _reply(rows.get(STORY_REPLIES.key(event.story_id, event.reply_id)), event, recorded.timestamp_ms)
            case e.StoryReacted() | e.StoryReactionWithdrawn() as event:
                before = rows.get(STORY_REACTIONS.key(event.story_id, event.sender_id))
                return _reaction(before, event, recorded.timestamp_ms)
        return ()


def _reply(before: StoryReplyRow | None, event: e.StoryReplied | e.StoryReplyDeleted, at_ms: int) -> Sequence[Write]:
    match event:
        case e.StoryReplied(story_id=story_id, reply_id=reply_id, sender_id=sender_id, text=text) if before is None:
            listed = ListedStoryReplyRow(
                story_id=story_id, reply_id=reply_id, sender_id=sender_id, text=text, created_ms=at_ms
            )
            row = StoryReplyRow(story_id=story_id, reply_id=reply_id, sender_id=sender_id)
            return put(STORY_REPLIES_LIST, listed), put(STORY_REPLIES, row)
        case e.StoryReplyDeleted(sender_id=sender_id) if before is not None and before.sender_id == sender_id:
            return remove(STORY_REPLIES_LIST.key(before.story_id, before.reply_id)), remove(
                STORY_REPLIES.key_of(before)
            )
    return ()


def _reaction(
    before: StoryReactionRow | None, event: e.StoryReacted | e.StoryReactionWithdrawn, at_ms: int
) -> Sequence[Write]:
    """A reaction takes the place of the one before; the same one again stays where it is."""
    story_id, sender_id = event.story_id, event.sender_id
    gone: list[Write] = []
    if before is not None:
        gone = [remove(STORY_REACTIONS_LIST.key(story_id, before.reacted_ms, sender_id))]
    if isinstance(event, e.StoryReactionWithdrawn):
        return (*gone, remove(STORY_REACTIONS.key_of(before))) if before else ()
    if before is not None and before.reaction == event.reaction:
        return ()
    if before is not None and before.reacted_ms == at_ms:
        gone = []  # the new row stands at the same key
    row = StoryReactionRow(story_id=story_id, sender_id=sender_id, reaction=event.reaction, reacted_ms=at_ms)
    listed = ListedStoryReactionRow(story_id=story_id, sender_id=sender_id, reaction=event.reaction, reacted_ms=at_ms)
    return *gone, put(STORY_REACTIONS_LIST, listed), put(STORY_REACTIONS, row)


STORY_REPLIES_PROJECTION = StoryRepliesProjection()
