"""Holds rows of stories against the naive ones."""

from projections.close_friends import CLOSE_FRIENDS, CLOSE_FRIENDS_LIST
from projections.highlights import HIGHLIGHTED_STORIES, HIGHLIGHTS, HIGHLIGHTS_BY_OWNER
from projections.seen_stories import SEEN, SEEN_STORIES
from projections.stores.memory_rows import MemoryRows
from projections.stories import LIVE_STORIES, MEDIA_STORIES, STORIES, STORIES_BY_OWNER
from projections.story_replies import REACTION, STORY_ANSWERS, STORY_REACTIONS, STORY_REPLIES
from projections.story_views import STORY_VIEW_MEMBERS, STORY_VIEWERS, STORY_VIEWS
from tests.replay import story_actions
from tests.replay.actions import MEDIA, PEOPLE
from tests.replay.naive_stories import NaiveStories
from tests.replay.scanning import scanned
from tests.unit.projections.folding import at_once


def hold_stories(store: MemoryRows, naive: NaiveStories) -> None:
    """Assert that every list, membership and count of stories is what the naive world says."""
    _hold_stories(store, naive)
    _hold_highlights(store, naive)
    _hold_close_friends(store, naive)
    _hold_answers(store, naive)
    _hold_seen(store, naive)
    _hold_views(store, naive)


def _hold_stories(store: MemoryRows, naive: NaiveStories) -> None:
    for story_id in story_actions.STORIES:
        row, one = at_once(store.get(STORIES.key(story_id))), naive.stories.get(story_id)
        assert (row and (row.owner_id, row.media_id, row.audience, row.alt_text)) == (
            one and (one.owner_id, one.media_id, one.audience, one.alt_text)
        )
        assert (row and (row.status, row.published_ms, row.expires_ms, row.rule)) == (
            one and (one.status, one.published_ms, one.expires_ms, one.rule)
        )
    kept = {story_id: one for story_id, one in naive.stories.items() if one.status != "deleted"}
    for owner_id in PEOPLE:
        own = {story_id: one for story_id, one in kept.items() if one.owner_id == owner_id}
        archive = [(row.story_id, row.status) for row in scanned(store, STORIES_BY_OWNER, owner_id)]
        assert archive == [(story_id, own[story_id].status) for story_id in sorted(own, reverse=True)]
        live = [(row.expires_ms, row.story_id, row.audience) for row in scanned(store, LIVE_STORIES, owner_id)]
        published = [(story_id, one) for story_id, one in own.items() if one.status == "published"]
        assert live == sorted((one.expires_ms, story_id, one.audience) for story_id, one in published)
    for medium in MEDIA:
        shown = {story_id for story_id, one in kept.items() if one.media_id == medium}
        assert {row.story_id for row in scanned(store, MEDIA_STORIES, medium)} == shown


def _hold_highlights(store: MemoryRows, naive: NaiveStories) -> None:
    for highlight_id in story_actions.HIGHLIGHTS:
        row, one = at_once(store.get(HIGHLIGHTS.key(highlight_id))), naive.highlights.get(highlight_id)
        assert (row and (row.owner_id, row.title, row.story_ids, row.created_ms)) == (
            one and (one.owner_id, one.title, one.story_ids, one.created_ms)
        )
    for owner_id in PEOPLE:
        own = [highlight_id for highlight_id, one in naive.highlights.items() if one.owner_id == owner_id]
        listed = [row.highlight_id for row in scanned(store, HIGHLIGHTS_BY_OWNER, owner_id)]
        assert listed == sorted(own, reverse=True)
    for story_id in story_actions.STORIES:
        keeping = [(row.highlight_id, row.owner_id) for row in scanned(store, HIGHLIGHTED_STORIES, story_id)]
        assert keeping == sorted(
            (highlight_id, one.owner_id) for highlight_id, one in naive.highlights.items() if story_id in one.story_ids
        )


def _hold_close_friends(store: MemoryRows, naive: NaiveStories) -> None:
    for owner_id in PEOPLE:
        friends = [(at_ms, friend_id) for (owner, friend_id), at_ms in naive.close_friends.items() if owner == owner_id]
        listed = [(row.since_ms, row.friend_id) for row in scanned(store, CLOSE_FRIENDS_LIST, owner_id)]
        assert listed == sorted(friends, reverse=True)
        for friend_id in PEOPLE:
            row = at_once(store.get(CLOSE_FRIENDS.key(owner_id, friend_id)))
            assert (row and row.since_ms) == naive.close_friends.get((owner_id, friend_id))


def _hold_answers(store: MemoryRows, naive: NaiveStories) -> None:
    for story_id in story_actions.STORIES:
        replies = [(one, *told) for (under, one), told in naive.replies.items() if under == story_id]
        listed = [
            (row.reply_id, row.sender_id, row.text, row.created_ms) for row in scanned(store, STORY_REPLIES, story_id)
        ]
        assert listed == sorted(replies, reverse=True)
        reactions = [(at_ms, who, said) for (under, who), (said, at_ms) in naive.reactions.items() if under == story_id]
        said = [(row.reacted_ms, row.sender_id, row.reaction) for row in scanned(store, STORY_REACTIONS, story_id)]
        assert said == sorted(reactions, reverse=True)
        for sender_id in PEOPLE:
            answer = at_once(store.get(STORY_ANSWERS.key(story_id, sender_id, REACTION)))
            expected = naive.reactions.get((story_id, sender_id))
            assert (answer and (answer.reaction, answer.sent_ms)) == expected
            for reply_id in story_actions.REPLIES:
                answer = at_once(store.get(STORY_ANSWERS.key(story_id, sender_id, reply_id)))
                there = naive.replies.get((story_id, reply_id))
                assert (answer is not None) == (there is not None and there[0] == sender_id)


def _hold_seen(store: MemoryRows, naive: NaiveStories) -> None:
    for viewer_id in PEOPLE:
        seen = [(at_ms, story_id) for (viewer, story_id), at_ms in naive.seen.items() if viewer == viewer_id]
        listed = [(row.published_ms, row.story_id) for row in scanned(store, SEEN_STORIES, viewer_id)]
        assert listed == sorted(seen, reverse=True)
        for story_id in story_actions.STORIES:
            row = at_once(store.get(SEEN.key(viewer_id, story_id)))
            assert (row is not None) == ((viewer_id, story_id) in naive.seen)


def _hold_views(store: MemoryRows, naive: NaiveStories) -> None:
    for story_id in story_actions.STORIES:
        count = at_once(store.get(STORY_VIEWS.key(story_id)))
        assert (count and count.views) == naive.views.get(story_id)
        viewers = [(at_ms, who) for (seen, who), at_ms in naive.viewers.items() if seen == story_id]
        listed = [(row.viewed_ms, row.viewer_id) for row in scanned(store, STORY_VIEWERS, story_id)]
        assert listed == sorted(viewers, reverse=True)
        for viewer_id in PEOPLE:
            row = at_once(store.get(STORY_VIEW_MEMBERS.key(story_id, viewer_id)))
            assert (row is not None) == ((story_id, viewer_id) in naive.viewers)
