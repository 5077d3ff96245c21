"""What an account did, and the events that take it back, decided on rows that are up to date.

An event that the log holds of an account leads to the row that it once changed; only where something is there still
is it taken back. So a pass over the log may be repeated, and finds nothing once everything is undone.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from projections.close_friends import CLOSE_FRIENDS
from projections.comment_likes import COMMENT_LIKES
from projections.comments import COMMENTS
from projections.graph import side_of
from projections.highlights import HIGHLIGHTS
from projections.likes import LIKES
from projections.media import MEDIA
from projections.posts import POSTS
from projections.relations import pair_with
from projections.reports import REPORTS
from projections.saves import SAVES
from projections.stores.port import RowStore
from projections.stories import STORIES
from projections.story_replies import REACTION, STORY_ANSWERS
from schemas import events as e

Undo = Callable[[RowStore, int, Any], Awaitable[Sequence[e.Event]]]
"""(rows, account, an event that names it) -> the events that take back what is left of it."""


async def _post(rows: RowStore, account_id: int, event: e.PostCreated) -> Sequence[e.Event]:
    post = await rows.get(POSTS.key(event.post_id))
    if post is None or post.owner_id != account_id or post.status == "deleted":
        return ()
    return (e.PostDeleted(post_id=post.post_id, owner_id=account_id),)


async def _story(rows: RowStore, account_id: int, event: e.StoryCreated) -> Sequence[e.Event]:
    story = await rows.get(STORIES.key(event.story_id))
    if story is None or story.owner_id != account_id or story.status == "deleted":
        return ()
    return (e.StoryDeleted(story_id=story.story_id, owner_id=account_id),)


async def _close_friend(rows: RowStore, account_id: int, event: e.CloseFriendAdded) -> Sequence[e.Event]:
    """Both who was in the account's list and the account in the lists of others."""
    if account_id not in (event.owner_id, event.friend_id):
        return ()
    if await rows.get(CLOSE_FRIENDS.key(event.owner_id, event.friend_id)) is None:
        return ()
    return (e.CloseFriendRemoved(owner_id=event.owner_id, friend_id=event.friend_id),)


async def _story_reply(rows: RowStore, account_id: int, event: e.StoryReplied) -> Sequence[e.Event]:
    """What the account wrote. What others wrote to it stays theirs, though nobody reads it any more."""
    reply = await rows.get(STORY_ANSWERS.key(event.story_id, account_id, event.reply_id))
    if event.sender_id != account_id or reply is None:
        return ()
    deleted = e.StoryReplyDeleted(
        reply_id=reply.reply_id, story_id=reply.story_id, sender_id=account_id, deleted_by=account_id
    )
    return (deleted,)


async def _story_reaction(rows: RowStore, account_id: int, event: e.StoryReacted) -> Sequence[e.Event]:
    reaction = await rows.get(STORY_ANSWERS.key(event.story_id, account_id, REACTION))
    if event.sender_id != account_id or reaction is None:
        return ()
    return (e.StoryReactionWithdrawn(story_id=event.story_id, sender_id=account_id),)


async def _highlight(rows: RowStore, account_id: int, event: e.HighlightSaved) -> Sequence[e.Event]:
    highlight = await rows.get(HIGHLIGHTS.key(event.highlight_id))
    if highlight is None or highlight.owner_id != account_id:
        return ()
    return (e.HighlightDeleted(highlight_id=highlight.highlight_id, owner_id=account_id),)


async def _like(rows: RowStore, account_id: int, event: e.PostLiked) -> Sequence[e.Event]:
    if event.actor_id != account_id or await rows.get(LIKES.key(account_id, event.post_id)) is None:
        return ()
    return (e.PostUnliked(actor_id=account_id, post_id=event.post_id),)


async def _comment(rows: RowStore, account_id: int, event: e.CommentCreated) -> Sequence[e.Event]:
    comment = await rows.get(COMMENTS.key(event.post_id, event.comment_id))
    if comment is None or comment.author_id != account_id:
        return ()
    return (
        e.CommentDeleted(
            comment_id=event.comment_id,
            post_id=event.post_id,
            deleted_by=account_id,
            parent_id=comment.parent_id,
        ),
    )


async def _save(rows: RowStore, account_id: int, event: e.PostSaved) -> Sequence[e.Event]:
    if event.actor_id != account_id or await rows.get(SAVES.key(account_id, event.post_id)) is None:
        return ()
    return (e.PostUnsaved(actor_id=account_id, post_id=event.post_id),)


async def _comment_like(rows: RowStore, account_id: int, event: e.CommentLiked) -> Sequence[e.Event]:
    like = await rows.get(COMMENT_LIKES.key(account_id, event.comment_id))
    if event.actor_id != account_id or like is None:
        return ()
    return (e.CommentUnliked(actor_id=account_id, comment_id=event.comment_id, post_id=like.post_id),)


async def _report(rows: RowStore, account_id: int, event: e.ContentReported) -> Sequence[e.Event]:
    if event.reporter_id != account_id:
        return ()
    if await rows.get(REPORTS.key(account_id, event.target, event.target_id)) is None:
        return ()
    return (e.ReportWithdrawn(reporter_id=account_id, target=event.target, target_id=event.target_id),)


async def _pair(rows: RowStore, account_id: int, event: e.Event) -> Sequence[e.Event]:
    """Followings and requests of both, and the account's own blocks and mutes. The other's stay the other's."""
    one, other_id = (getattr(event, field) for field in event.__struct_fields__[:2])
    other_id = one if other_id == account_id else other_id
    pair = await rows.get(pair_with(account_id, other_id))
    if pair is None:
        return ()
    own, other = side_of(pair, account_id), side_of(pair, other_id)
    undone: list[e.Event] = []
    if own.follows != "none":
        undone.append(e.FollowDeleted(follower_id=account_id, followee_id=other_id))
    if other.follows == "active":
        undone.append(e.FollowerRemoved(follower_id=other_id, followee_id=account_id))
    if other.follows == "pending":
        undone.append(e.FollowDenied(follower_id=other_id, followee_id=account_id))
    if own.blocks:
        undone.append(e.AccountUnblocked(blocker_id=account_id, blocked_id=other_id))
    if own.mutes:
        undone.append(e.AccountUnmuted(muter_id=account_id, muted_id=other_id))
    return undone


async def _waiting_media(rows: RowStore, account_id: int, event: e.MediaTranscodingCompleted) -> Sequence[e.Event]:
    """Nobody is to decide any more about what no post will ever hold."""
    media = await rows.get(MEDIA.key(event.media_id))
    if media is None or media.owner_id != account_id or media.is_judged:
        return ()
    refused = e.MediaReviewed(
        media_id=media.media_id, owner_id=account_id, decision="refused", operator="", note="its owner left"
    )
    return (refused,)


UNDOING: Mapping[type[e.Event], Undo] = {
    e.FollowCreated: _pair,
    e.AccountBlocked: _pair,
    e.AccountMuted: _pair,
    e.PostCreated: _post,
    e.StoryCreated: _story,
    e.CloseFriendAdded: _close_friend,
    e.StoryReplied: _story_reply,
    e.StoryReacted: _story_reaction,
    e.HighlightSaved: _highlight,
    e.PostLiked: _like,
    e.CommentCreated: _comment,
    e.PostSaved: _save,
    e.CommentLiked: _comment_like,
    e.ContentReported: _report,
    e.MediaTranscodingCompleted: _waiting_media,
}
"""For each event that makes something of an account's: how that is taken back."""

LEFT: Mapping[type[e.Event], str] = {
    e.AccountCreated: "the account's own row is emptied by account.deleted",
    e.ProfileChanged: "the account's own row is emptied by account.deleted",
    e.PrivacyChanged: "the account's own row is emptied by account.deleted",
    e.AccountSuspended: "the account's own row is emptied by account.deleted",
    e.AccountReinstated: "the account's own row is emptied by account.deleted",
    e.AccountVerified: "the account's own row is emptied by account.deleted",
    e.AccountUnverified: "the account's own row is emptied by account.deleted",
    e.AccountDeleted: "is what empties it",
    e.FollowDeleted: "takes something back itself",
    e.RequestsApproved: "says nothing but what its follow.approved say",
    e.FollowApproved: "changes what a follow.created made",
    e.FollowDeferred: "changes what a follow.created made",
    e.FollowDenied: "takes something back itself",
    e.FollowerRemoved: "takes something back itself",
    e.AccountUnblocked: "takes something back itself",
    e.AccountUnmuted: "takes something back itself",
    e.PostPublished: "changes what a post.created made",
    e.PostRejected: "changes what a post.created made",
    e.PostCaptionChanged: "changes what a post.created made",
    e.PostDeleted: "takes something back itself",
    e.PostUnliked: "takes something back itself",
    e.CommentDeleted: "takes something back itself",
    e.PostUnsaved: "takes something back itself",
    e.CommentUnliked: "takes something back itself",
    e.ReportWithdrawn: "takes something back itself",
    e.PostShared: "happened once and is over: it is counted, and names nobody but by id",
    e.PostImpressed: "telemetry, by ids, which ends after a month",
    e.PostDwelt: "telemetry, by ids, which ends after a month",
    e.PostViewed: "telemetry, by ids, which ends after a month",
    e.MediaTranscodingRequested: "names files, which leaving/purging.py removes",
    e.MediaTranscodingFailed: "names files, which leaving/purging.py removes",
    e.MediaJudged: "changes what a media.transcoding.completed made",
    e.MediaReviewed: "changes what a media.transcoding.completed made",
    e.MediaTakenDown: "changes what a media.transcoding.completed made",
    e.MediaReinstated: "changes what a media.transcoding.completed made",
    e.MediaCollected: "names media of the account by ids",
    e.MediaKept: "names media of the account by ids",
    e.MediaRemoved: "names media of the account by ids",
    e.MediaArchived: "names files, which leaving/purging.py removes",
    e.StoryPublished: "changes what a story.created made",
    e.StoryRejected: "changes what a story.created made",
    e.StoryDeleted: "takes something back itself",
    e.HighlightDeleted: "takes something back itself",
    e.CloseFriendRemoved: "takes something back itself",
    e.StoryReplyDeleted: "takes something back itself",
    e.StoryReactionWithdrawn: "takes something back itself",
    e.StoryViewed: "telemetry, by ids, which ends after a month",
    e.StoryViewCounted: "a count, by ids, which ends after a month",
    e.HashtagUsed: "names a post and its author, by ids, and ends after a month",
    e.PostEngaged: "names a post and people, by ids, and ends after a month",
    e.EngagementMeasured: "counts, by ids, which end after a month",
    e.PriorityFanoutRequested: "as feed.fanout.requested",
    e.FanoutRequested: "names a post and its author, by ids; the entries lead to a deleted post",
}
"""Every other event that names an account, and why nothing is taken back for it."""


async def undone(rows: RowStore, account_id: int, events: Iterable[e.Event]) -> list[e.Event]:
    """The events that take back what is left of what these did. Each is named once."""
    found: dict[e.Event, None] = {}
    for event in events:
        undo = UNDOING.get(type(event))
        if undo is not None:
            found.update(dict.fromkeys(await undo(rows, account_id, event)))
    return list(found)
