"""A small world's events: five people, posts in every state, and all that people do with posts and comments."""

from typing import Literal

from schemas import events as e
from tests.unit.streams.river import NOW_MS, River

ANNA, BERT, CARL, DORA, EMIL = 11, 12, 13, 14, 15
PEOPLE = (ANNA, BERT, CARL, DORA, EMIL)


def account(account_id: int, private: bool = False) -> e.AccountCreated:
    return e.AccountCreated(account_id=account_id, username=f"u{account_id}", display_name="N", private=private)


def follow(follower_id: int, followee_id: int, status: Literal["active", "pending"] = "active") -> e.FollowCreated:
    return e.FollowCreated(follower_id=follower_id, followee_id=followee_id, wanted_status=status)


def post(post_id: int, owner_id: int, *media_ids: int) -> e.PostCreated:
    return e.PostCreated(
        post_id=post_id,
        owner_id=owner_id,
        media_ids=list(media_ids),
        alt_texts=[None] * len(media_ids),
        caption="hello",
        mentions=[],
        location=None,
        hashtags=[],
        audience="public",
    )


def comment(comment_id: int, author_id: int, parent_id: int | None = None) -> e.CommentCreated:
    return e.CommentCreated(
        comment_id=comment_id, post_id=101, author_id=author_id, text=f"text {comment_id}", parent_id=parent_id
    )


def comment_gone(comment_id: int, deleted_by: int, parent_id: int | None = None) -> e.CommentDeleted:
    return e.CommentDeleted(comment_id=comment_id, post_id=101, deleted_by=deleted_by, parent_id=parent_id)


def comment_liked(actor_id: int, comment_id: int) -> e.CommentLiked:
    return e.CommentLiked(actor_id=actor_id, comment_id=comment_id, post_id=101)


def ready(media_id: int, owner_id: int) -> e.MediaTranscodingCompleted:
    variant = e.MediaVariant(
        name="w320.jpeg", content_type="image/jpeg", width=320, height=200, size_bytes=9, object_key="k"
    )
    return e.MediaTranscodingCompleted(media_id=media_id, owner_id=owner_id, width=640, height=400, variants=[variant])


def failed(media_id: int, owner_id: int) -> e.MediaTranscodingFailed:
    return e.MediaTranscodingFailed(
        media_id=media_id, owner_id=owner_id, reason="damaged-image", detail="The image is damaged."
    )


def story(story_id: int, owner_id: int, media_id: int, audience: e.StoryAudience = "everyone") -> tuple[e.Event, ...]:
    """A story and its publication."""
    made = e.StoryCreated(
        story_id=story_id, owner_id=owner_id, media_id=media_id, audience=audience, alt_text="a story"
    )
    media = e.MediaItem(media_id=media_id, width=640, height=400, blurhash="", variants=["poster"])
    published = e.StoryPublished(
        story_id=story_id,
        owner_id=owner_id,
        published_ms=NOW_MS,
        expires_ms=NOW_MS + 86_400_000,
        media=media,
    )
    return made, published


def story_views(viewer_id: int, story_id: int, views: int) -> tuple[e.Event, e.Event]:
    """Somebody's view of a story of Anna's, and what is computed of it."""
    seen = e.StoryViewed(
        viewer_id=viewer_id,
        story_id=story_id,
        owner_id=ANNA,
        at_ms=NOW_MS,
        published_ms=NOW_MS,
        expires_ms=NOW_MS + 86_400_000,
    )
    counted = e.StoryViewCounted(
        story_id=story_id,
        owner_id=ANNA,
        viewer_id=viewer_id,
        viewed_ms=NOW_MS,
        views=views,
        expires_ms=NOW_MS + 86_400_000,
    )
    return seen, counted


def story_reply(reply_id: int, sender_id: int, story_id: int, owner_id: int) -> e.Event:
    return e.StoryReplied(
        reply_id=reply_id, story_id=story_id, owner_id=owner_id, sender_id=sender_id, text="to you alone"
    )


async def live(river: River) -> None:
    """Let the world happen, with its jobs at work in between."""
    river.append(*(account(person) for person in PEOPLE))
    river.append(follow(BERT, ANNA), follow(CARL, ANNA), follow(ANNA, BERT), follow(DORA, ANNA, "pending"))
    for reader in (ANNA, BERT, CARL, DORA):
        await river.timelines.open(reader)
    await river.pump()
    river.append(ready(501, ANNA), post(101, ANNA, 501, 502), post(102, BERT, 503), post(103, ANNA, 504))
    river.append(ready(503, BERT), failed(504, ANNA), ready(502, ANNA))
    await river.pump()
    river.append(e.FollowApproved(follower_id=DORA, followee_id=ANNA))
    river.append(e.PostLiked(actor_id=BERT, post_id=101), e.PostLiked(actor_id=CARL, post_id=101))
    river.append(comment(901, BERT), comment(902, CARL), comment(903, DORA), comment(911, ANNA, parent_id=901))
    river.append(e.PostSaved(actor_id=BERT, post_id=101, owner_id=ANNA), e.PostUnsaved(actor_id=CARL, post_id=101))
    river.append(e.PostShared(share_id=801, actor_id=BERT, post_id=101, channel="link"))
    river.append(e.PostUnliked(actor_id=CARL, post_id=101), e.PostLiked(actor_id=DORA, post_id=101))
    river.append(e.PostCaptionChanged(post_id=101, owner_id=ANNA, caption="better", mentions=[], hashtags=[]))
    river.append(e.FollowDeleted(follower_id=CARL, followee_id=ANNA), e.PostDeleted(post_id=102, owner_id=BERT))
    await river.pump()
    river.append(comment_liked(ANNA, 902), comment_liked(BERT, 902), comment_liked(CARL, 903), comment_liked(EMIL, 911))
    river.append(comment(912, DORA, parent_id=901), comment(913, CARL, parent_id=902), comment_gone(901, BERT))
    # Written while its comment was being deleted.
    river.append(comment(914, EMIL, parent_id=901))
    await river.pump()
    river.append(e.CommentUnliked(actor_id=BERT, comment_id=902, post_id=101), comment_liked(DORA, 903))
    river.append(*story(301, ANNA, 511), *story(302, ANNA, 512, "close_friends"), *story(303, BERT, 513))
    river.append(e.CloseFriendAdded(owner_id=ANNA, friend_id=BERT), e.CloseFriendAdded(owner_id=BERT, friend_id=ANNA))
    river.append(e.CloseFriendRemoved(owner_id=BERT, friend_id=ANNA), e.StoryDeleted(story_id=303, owner_id=BERT))
    river.append(*story_views(BERT, 301, 1), *story_views(CARL, 301, 2), *story_views(BERT, 302, 1))
    river.append(
        story_reply(1001, ANNA, 303, BERT),
        story_reply(1002, BERT, 301, ANNA),
        story_reply(1003, BERT, 301, ANNA),
        e.StoryReplyDeleted(reply_id=1003, story_id=301, sender_id=BERT),
        *(e.StoryReacted(story_id=303, owner_id=BERT, sender_id=ANNA, reaction=one) for one in ("😍", "🔥")),
        e.StoryReacted(story_id=301, owner_id=ANNA, sender_id=CARL, reaction="🔥"),
        e.StoryReacted(story_id=301, owner_id=ANNA, sender_id=BERT, reaction="🔥"),
        e.StoryReactionWithdrawn(story_id=301, sender_id=BERT),
        e.HighlightSaved(highlight_id=1101, owner_id=ANNA, title="summer", story_ids=[301]),
        e.HighlightSaved(highlight_id=1101, owner_id=ANNA, title="both", story_ids=[301, 302]),
        e.HighlightSaved(highlight_id=1102, owner_id=BERT, title="kept", story_ids=[303]),
        e.HighlightSaved(highlight_id=1103, owner_id=BERT, title="gone", story_ids=[303]),
        e.HighlightDeleted(highlight_id=1103, owner_id=BERT),
    )
    await river.pump()
    river.append(e.PrivacyChanged(account_id=ANNA, private=True))
    await river.pump()
    # Stamped by a gateway that saw a public account, and by one that saw the private one.
    river.append(follow(CARL, ANNA), follow(EMIL, ANNA, "pending"), at_ms=NOW_MS + 1)
    await river.pump()
    river.append(e.RequestsApproved(account_id=ANNA), follow(ANNA, EMIL, "pending"), at_ms=NOW_MS + 2)
    await river.pump()
