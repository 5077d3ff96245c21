"""Replies and reactions: what is listed for a story's owner."""

from photolog.ids import EPOCH_MS, new_event_id
from projections.fold import Recorded, fold_batch
from projections.story_replies import (
    REACTION,
    STORY_ANSWERS,
    STORY_REACTIONS,
    STORY_REPLIES,
    STORY_REPLIES_PROJECTION,
    StoryReactionRow,
)
from projections.tables import Row, RowKey
from projections.writes import ABSENT, Kept, Put
from schemas import events as e
from tests.unit.projections.folding import Folding

STORY, OWNER, BEN, CEM = 7, 1, 2, 3


def replied(reply_id: int, sender_id: int = BEN) -> e.Event:
    return e.StoryReplied(
        reply_id=reply_id, story_id=STORY, owner_id=OWNER, sender_id=sender_id, text=f"words {reply_id}"
    )


def reply_deleted(reply_id: int, sender_id: int = BEN) -> e.Event:
    return e.StoryReplyDeleted(reply_id=reply_id, story_id=STORY, sender_id=sender_id)


def reacted(sender_id: int, reaction: str) -> e.Event:
    return e.StoryReacted(story_id=STORY, owner_id=OWNER, sender_id=sender_id, reaction=reaction)


def withdrawn(sender_id: int) -> e.Event:
    return e.StoryReactionWithdrawn(story_id=STORY, sender_id=sender_id)


def texts(*events: e.Event) -> list[str | None]:
    rows = Folding(STORY_REPLIES_PROJECTION).apply(*events).rows(STORY_REPLIES, STORY)
    return [row.text for row in rows]


def reactions(*events: e.Event) -> list[tuple[int, str]]:
    rows = Folding(STORY_REPLIES_PROJECTION).apply(*events).rows(STORY_REACTIONS, STORY)
    return [(row.sender_id, row.reaction) for row in rows]


def test_the_newest_reply_comes_first_and_each_once() -> None:
    assert texts(replied(11), replied(12, CEM), replied(11)) == ["words 12", "words 11"]


def test_a_reply_is_taken_back_by_its_sender_alone() -> None:
    assert texts(replied(11), replied(12), reply_deleted(11, CEM), reply_deleted(12), reply_deleted(99)) == ["words 11"]
    folding = Folding(STORY_REPLIES_PROJECTION).apply(replied(12), reply_deleted(12))
    assert folding.row(STORY_ANSWERS.key(STORY, BEN, 12)) is None


def test_a_reply_is_deleted_however_often_it_is_told() -> None:
    by_owner = e.StoryReplyDeleted(reply_id=11, story_id=STORY, sender_id=BEN, deleted_by=OWNER)
    for deletions in ([by_owner], [by_owner, reply_deleted(11)], [reply_deleted(11), by_owner, by_owner]):
        assert texts(replied(11), replied(12), *deletions) == ["words 12"]


def test_of_a_senders_reactions_the_newest_is_listed() -> None:
    assert reactions(reacted(BEN, "🔥"), reacted(CEM, "🔥"), reacted(BEN, "😍")) == [(BEN, "😍"), (CEM, "🔥")]


def test_the_same_reaction_again_stays_where_it_is() -> None:
    assert reactions(reacted(BEN, "🔥"), reacted(CEM, "🔥"), reacted(BEN, "🔥")) == [(CEM, "🔥"), (BEN, "🔥")]


def test_a_reaction_that_is_withdrawn_is_in_neither() -> None:
    folding = Folding(STORY_REPLIES_PROJECTION).apply(reacted(BEN, "🔥"), withdrawn(BEN), withdrawn(CEM))
    assert folding.rows(STORY_REACTIONS, STORY) == []
    assert folding.row(STORY_ANSWERS.key(STORY, BEN, REACTION)) is None


def test_another_reaction_in_the_same_millisecond_is_listed() -> None:
    state: dict[RowKey[Row], Kept] = {STORY_ANSWERS.key(STORY, BEN, REACTION): ABSENT}
    batch = [
        Recorded(reacted(BEN, reaction), new_event_id(), "story.replies", 2, offset, EPOCH_MS)
        for offset, reaction in enumerate(("🔥", "😍"))
    ]
    outcome = fold_batch(STORY_REPLIES_PROJECTION, state, batch)
    listed = outcome.others[STORY_REACTIONS.key(STORY, EPOCH_MS, BEN)].write
    assert isinstance(listed, Put)
    assert isinstance(listed.row, StoryReactionRow)
    assert listed.row.reaction == "😍"
