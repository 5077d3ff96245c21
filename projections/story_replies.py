"""What viewers sent to the owner of a story: replies, the newest first, and the newest reaction of each.

It stays when the story's day is over, in its owner's archive.
"""

from collections.abc import Sequence

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put, remove
from schemas import events as e
from schemas import topics

REACTION = 0
"""In the place of a reply's id, which is never 0: the sender's reaction, of which there is one."""


class StoryAnswerRow(Row, frozen=True, kw_only=True):
    """The row that decides whether a reply or, with `REACTION`, somebody's reaction is there. `reaction` is null of a
    reply."""

    story_id: int
    sender_id: int
    reply_id: int
    reaction: str | None
    sent_ms: int


class StoryReplyRow(Row, frozen=True, kw_only=True):
    """A reply under its story, with its text."""

    story_id: int
    reply_id: int
    sender_id: int
    text: str | None
    created_ms: int


class StoryReactionRow(Row, frozen=True, kw_only=True):
    """The newest reaction of a viewer, under its story."""

    story_id: int
    reacted_ms: int
    sender_id: int
    reaction: str


STORY_ANSWERS = Table("story_answers", StoryAnswerRow, ("story_id", "sender_id", "reply_id"), aggregate=True)
STORY_REPLIES = Table("story_replies", StoryReplyRow, ("story_id",), ("-reply_id",))
STORY_REACTIONS = Table("story_reactions", StoryReactionRow, ("story_id",), ("-reacted_ms", "-sender_id"))


class StoryRepliesProjection:
    """Folds replies and reactions. Who may send one is the command's question."""

    name = "story_replies"
    topics = (topics.STORY_REPLIES,)

    def aggregate(self, recorded: Recorded) -> RowKey[StoryAnswerRow]:
        """The sender's reply, or their reaction; the story's key places both. Another's reply has another key."""
        match recorded.event:
            case e.StoryReplied() | e.StoryReplyDeleted() as event:
                return STORY_ANSWERS.key(event.story_id, event.sender_id, event.reply_id)
            case e.StoryReacted() | e.StoryReactionWithdrawn() as event:
                return STORY_ANSWERS.key(event.story_id, event.sender_id, REACTION)
            case other:
                raise unfoldable(self.name, other)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """Nothing else."""
        return ()

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """Sending what is there, or taking back what is not, changes nothing; another reaction takes the place of the
        one before."""
        before, at_ms = rows.get(self.aggregate(recorded)), recorded.timestamp_ms
        match recorded.event:
            case e.StoryReplied() as event if before is None:
                return _replied(event, at_ms)
            case e.StoryReplyDeleted() if before is not None:
                return remove(STORY_REPLIES.key(before.story_id, before.reply_id)), remove(STORY_ANSWERS.key_of(before))
            case e.StoryReacted() as event if before is None or before.reaction != event.reaction:
                return *_unlisted(before), *_reacted(event, at_ms)
            case e.StoryReactionWithdrawn() if before is not None:
                return *_unlisted(before), remove(STORY_ANSWERS.key_of(before))
        return ()


def _replied(event: e.StoryReplied, at_ms: int) -> Sequence[Write]:
    story_id, reply_id, sender_id = event.story_id, event.reply_id, event.sender_id
    listed = StoryReplyRow(story_id=story_id, reply_id=reply_id, sender_id=sender_id, text=event.text, created_ms=at_ms)
    row = StoryAnswerRow(story_id=story_id, sender_id=sender_id, reply_id=reply_id, reaction=None, sent_ms=at_ms)
    return put(STORY_REPLIES, listed), put(STORY_ANSWERS, row)


def _reacted(event: e.StoryReacted, at_ms: int) -> Sequence[Write]:
    story_id, sender_id, reaction = event.story_id, event.sender_id, event.reaction
    listed = StoryReactionRow(story_id=story_id, reacted_ms=at_ms, sender_id=sender_id, reaction=reaction)
    row = StoryAnswerRow(story_id=story_id, sender_id=sender_id, reply_id=REACTION, reaction=reaction, sent_ms=at_ms)
    return put(STORY_REACTIONS, listed), put(STORY_ANSWERS, row)


def _unlisted(before: StoryAnswerRow | None) -> Sequence[Write]:
    if before is None:
        return ()
    return (remove(STORY_REACTIONS.key(before.story_id, before.sent_ms, before.sender_id)),)


STORY_REPLIES_PROJECTION = StoryRepliesProjection()
