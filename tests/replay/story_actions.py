"""Random events about stories, in the world of `actions`."""

from hypothesis import strategies as st

from schemas import events as e
from tests.replay.actions import MEDIA, START_MS, media, pairs, people, times_ms

STORIES = {701: 101, 702: 101, 703: 102}  # story → owner: a story's events share its owner's key
HIGHLIGHTS = {801: 101, 802: 101, 803: 102}  # highlight → owner, likewise
REPLIES = {901: 101, 902: 102, 903: 102}  # reply → sender: an id is given once
DAY_MS = 86_400_000

stories = st.sampled_from(sorted(STORIES))
highlights = st.sampled_from(sorted(HIGHLIGHTS))
replies = st.sampled_from(sorted(REPLIES))


def expires_ms(story_id: int) -> int:
    """When a story ends, Unix ms: whatever is told of it names the same moment."""
    return START_MS + DAY_MS + story_id


def _created(story_id: int, media_id: int, audience: e.StoryAudience) -> e.Event:
    text = f"text of {story_id}"
    return e.StoryCreated(
        story_id=story_id, owner_id=STORIES[story_id], media_id=media_id, audience=audience, alt_text=text
    )


def _published(story_id: int, published_ms: int) -> e.Event:
    return e.StoryPublished(
        story_id=story_id,
        owner_id=STORIES[story_id],
        published_ms=published_ms,
        expires_ms=published_ms + DAY_MS,
        media=e.MediaItem(media_id=sorted(MEDIA)[0], width=4, height=3, variants=[]),
    )


def _rejected(story_id: int, media_id: int) -> e.Event:
    return e.StoryRejected(story_id=story_id, owner_id=STORIES[story_id], media_id=media_id, reason="not-an-image")


def _deleted(story_id: int, rule: e.HouseRule | None) -> e.Event:
    return e.StoryDeleted(story_id=story_id, owner_id=STORIES[story_id], taken_down=rule)


def _saved(highlight_id: int, title: str, story_ids: list[int]) -> e.Event:
    return e.HighlightSaved(
        highlight_id=highlight_id, owner_id=HIGHLIGHTS[highlight_id], title=title, story_ids=story_ids
    )


def _befriended(pair: tuple[int, int], kind: type[e.CloseFriendAdded | e.CloseFriendRemoved]) -> e.Event:
    return kind(owner_id=pair[0], friend_id=pair[1])


def _replied(story_id: int, reply_id: int) -> e.Event:
    return e.StoryReplied(
        reply_id=reply_id,
        story_id=story_id,
        owner_id=STORIES[story_id],
        sender_id=REPLIES[reply_id],
        text=f"text of {reply_id}",
    )


def _reacted(story_id: int, sender_id: int, reaction: str) -> e.Event:
    return e.StoryReacted(story_id=story_id, owner_id=STORIES[story_id], sender_id=sender_id, reaction=reaction)


def _viewed(viewer_id: int, story_id: int, at_ms: int) -> e.Event:
    return e.StoryViewed(
        viewer_id=viewer_id,
        story_id=story_id,
        owner_id=STORIES[story_id],
        at_ms=at_ms,
        published_ms=START_MS,
        expires_ms=expires_ms(story_id),
    )


def _counted(viewer_id: int, story_id: int, viewed_ms: int, views: int) -> e.Event:
    return e.StoryViewCounted(
        story_id=story_id,
        owner_id=STORIES[story_id],
        viewer_id=viewer_id,
        viewed_ms=viewed_ms,
        views=views,
        expires_ms=expires_ms(story_id),
    )


story_events: st.SearchStrategy[e.Event] = st.one_of(
    st.builds(_created, stories, media, st.sampled_from(["everyone", "close_friends"])),
    st.builds(_published, stories, times_ms),
    st.builds(_rejected, stories, media),
    st.builds(_deleted, stories, st.sampled_from([None, None, "hate"])),
    st.builds(_saved, highlights, st.sampled_from(["summer", "autumn"]), st.lists(stories, max_size=4)),
    highlights.map(lambda one: e.HighlightDeleted(highlight_id=one, owner_id=HIGHLIGHTS[one])),
    st.builds(_befriended, pairs, st.sampled_from([e.CloseFriendAdded, e.CloseFriendRemoved])),
    st.builds(_replied, stories, replies),
    st.builds(e.StoryReplyDeleted, reply_id=replies, story_id=stories, sender_id=people, deleted_by=people),
    st.builds(_reacted, stories, people, st.sampled_from(["🔥", "😍"])),
    st.builds(e.StoryReactionWithdrawn, story_id=stories, sender_id=people),
    st.builds(_viewed, people, stories, times_ms),
    st.builds(_counted, people, stories, times_ms, st.integers(1, 4)),
)
