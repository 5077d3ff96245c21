"""The one table of topics: what each carries, how it is keyed, how long it keeps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from schemas import events as e

FOREVER_MS = -1
WEEK_MS = 7 * 86_400_000
MONTH_MS = 30 * 86_400_000

DEAD_LETTER_SUFFIX = ".dead"


@dataclass(frozen=True, slots=True)
class Topic:
    """One named log.

    Args:
        name: the topic's name.
        events: the event types that it carries; their order within a key is kept.
        key: gives an event's partition key; keys never hold personal data.
        keyed_by: what the key is, in words; the name of a field where the key is that field.
        kind: `action` is a fact that a person caused and is kept for ever, `work` is a queue, `derived` is made
            by a job from other topics, `telemetry` is what clients observed: one event type, nothing personal, for
            analysts and for what is computed over windows of time.
        retention_ms: how long records are kept, -1 for ever.
        personal: whether any event holds encrypted personal fields.
    """

    name: str
    events: tuple[type[e.Event], ...]
    key: Callable[[Any], str]
    keyed_by: str
    kind: Literal["action", "work", "derived", "telemetry"] = "action"
    retention_ms: int = FOREVER_MS
    personal: bool = False

    @property
    def dead_letters(self) -> str:
        """The topic that holds this topic's records that could not be processed."""
        return self.name + DEAD_LETTER_SUFFIX


def pair_key(one: int, other: int) -> str:
    """The key of two accounts, the same whichever of them acts."""
    return f"{min(one, other)}:{max(one, other)}"


def _graph_key(event: Any) -> str:
    match event:
        case e.AccountBlocked() | e.AccountUnblocked():
            return pair_key(event.blocker_id, event.blocked_id)
        case e.AccountMuted() | e.AccountUnmuted():
            return pair_key(event.muter_id, event.muted_id)
        case _:
            return pair_key(event.follower_id, event.followee_id)


def _chunk_key(event: e.FanoutRequested) -> str:
    """Chunks of one post need no order, and spread over the partitions so that several workers share them."""
    return f"{event.post_id}:{event.shard if event.first_slot < 0 else event.first_slot}"


ACCOUNTS = Topic(
    "accounts",
    (
        e.AccountCreated,
        e.ProfileChanged,
        e.PrivacyChanged,
        e.RequestsApproved,
        e.AccountSuspended,
        e.AccountReinstated,
        e.AccountDeleted,
        e.AccountVerified,
        e.AccountUnverified,
    ),
    key=lambda event: str(event.account_id),
    keyed_by="account_id",
    personal=True,
)
GRAPH = Topic(
    "graph",
    (
        e.FollowCreated,
        e.FollowDeleted,
        e.FollowApproved,
        e.FollowDeferred,
        e.FollowDenied,
        e.FollowerRemoved,
        e.AccountBlocked,
        e.AccountUnblocked,
        e.AccountMuted,
        e.AccountUnmuted,
    ),
    key=_graph_key,
    keyed_by="the two accounts, the smaller id first",
)
POSTS = Topic(
    "posts",
    (e.PostCreated, e.PostPublished, e.PostRejected, e.PostCaptionChanged, e.PostDeleted),
    key=lambda event: str(event.owner_id),
    keyed_by="owner_id",
    personal=True,
)
MEDIA_REQUESTED = Topic(
    "media.transcoding.requested",
    (e.MediaTranscodingRequested,),
    key=lambda event: str(event.owner_id),
    keyed_by="owner_id",
    kind="work",
)
MEDIA_COMPLETED = Topic(
    "media.transcoding.completed",
    (
        e.MediaTranscodingCompleted,
        e.MediaTranscodingFailed,
        e.MediaJudged,
        e.MediaReviewed,
        e.MediaTakenDown,
        e.MediaReinstated,
        e.MediaCollected,
        e.MediaKept,
        e.MediaRemoved,
        e.MediaArchived,
    ),
    key=lambda event: str(event.owner_id),
    keyed_by="owner_id",
)
BLOCKS = Topic(
    "moderation.blocks",
    (e.ContentBlocked, e.ContentUnblocked),
    key=lambda event: event.digest,
    keyed_by="digest",
)
BARRED_HASHTAGS = Topic(
    "moderation.hashtags",
    (e.HashtagBarred, e.HashtagUnbarred),
    key=lambda _: "0",
    keyed_by="nothing: all of the list is in one order",
)
STORIES = Topic(
    "stories",
    (e.StoryCreated, e.StoryPublished, e.StoryRejected, e.StoryDeleted),
    key=lambda event: str(event.owner_id),
    keyed_by="owner_id",
    personal=True,
)
HIGHLIGHTS = Topic(
    "highlights",
    (e.HighlightSaved, e.HighlightDeleted),
    key=lambda event: str(event.owner_id),
    keyed_by="owner_id",
    personal=True,
)
CLOSE_FRIENDS = Topic(
    "close.friends",
    (e.CloseFriendAdded, e.CloseFriendRemoved),
    key=lambda event: str(event.owner_id),
    keyed_by="owner_id",
)
STORY_REPLIES = Topic(
    "story.replies",
    (e.StoryReplied, e.StoryReplyDeleted, e.StoryReacted, e.StoryReactionWithdrawn),
    key=lambda event: str(event.story_id),
    keyed_by="story_id",
    personal=True,
)
LIKES = Topic("likes", (e.PostLiked, e.PostUnliked), key=lambda event: str(event.actor_id), keyed_by="actor_id")
COMMENTS = Topic(
    "comments",
    (e.CommentCreated, e.CommentDeleted, e.CommentLikesCounted),
    key=lambda event: str(event.post_id),
    keyed_by="post_id",
    personal=True,
)
SAVES = Topic("saves", (e.PostSaved, e.PostUnsaved), key=lambda event: str(event.actor_id), keyed_by="actor_id")
SHARES = Topic("shares", (e.PostShared,), key=lambda event: str(event.actor_id), keyed_by="actor_id")
COMMENT_LIKES = Topic(
    "comment.likes", (e.CommentLiked, e.CommentUnliked), key=lambda event: str(event.actor_id), keyed_by="actor_id"
)
REPORTS = Topic(
    "reports",
    (e.ContentReported, e.ReportWithdrawn),
    key=lambda event: str(event.reporter_id),
    keyed_by="reporter_id",
    personal=True,
)


def _fanout(name: str, event: type[e.FanoutRequested]) -> Topic:
    return Topic(
        name,
        (event,),
        key=_chunk_key,
        keyed_by="post_id and the part of its followers",
        kind="derived",
        retention_ms=WEEK_MS,
    )


FEED_FANOUT = _fanout("feed.fanout", e.FanoutRequested)
FEED_FANOUT_PRIORITY = _fanout("feed.fanout.priority", e.PriorityFanoutRequested)


def _telemetry(name: str, event: type[e.Event]) -> Topic:
    return Topic(
        name,
        (event,),
        key=lambda seen: str(seen.viewer_id),
        keyed_by="viewer_id",
        kind="telemetry",
        retention_ms=MONTH_MS,
    )


POST_IMPRESSIONS = _telemetry("post.impressions", e.PostImpressed)
POST_DWELLS = _telemetry("post.dwells", e.PostDwelt)
POST_VIEWS = _telemetry("post.views", e.PostViewed)
STORY_VIEWS = _telemetry("story.views", e.StoryViewed)


def _computed(name: str, event: type[e.Event], key: Callable[[Any], str], keyed_by: str) -> Topic:
    """One flat event type that comes of, or goes into, a job over windows of event time (`streams/flink_jobs`)."""
    return Topic(name, (event,), key=key, keyed_by=keyed_by, kind="derived", retention_ms=MONTH_MS)


HASHTAG_USES = _computed("hashtag.uses", e.HashtagUsed, lambda event: str(event.owner_id), "owner_id")
HASHTAG_TRENDS = _computed("hashtag.trends", e.HashtagsRanked, lambda event: event.scope, "scope")
STORY_VIEW_COUNTS = _computed("story.view.counts", e.StoryViewCounted, lambda event: str(event.story_id), "story_id")
POST_ENGAGEMENT = _computed("post.engagement", e.PostEngaged, lambda event: str(event.post_id), "post_id")
ENGAGEMENT_FEATURES = _computed(
    "engagement.features",
    e.EngagementMeasured,
    lambda event: f"{event.post_id}:{event.author_id}:{event.viewer_id}",
    "post, author and viewer, 0 for none",
)
LATE = _computed("windows.late", e.EventCameLate, lambda event: str(event.source_partition), "source_partition")

TOPICS: tuple[Topic, ...] = (
    ACCOUNTS,
    GRAPH,
    POSTS,
    MEDIA_REQUESTED,
    MEDIA_COMPLETED,
    LIKES,
    COMMENTS,
    FEED_FANOUT,
    FEED_FANOUT_PRIORITY,
    SAVES,
    SHARES,
    COMMENT_LIKES,
    REPORTS,
    BLOCKS,
    POST_IMPRESSIONS,
    POST_DWELLS,
    POST_VIEWS,
    BARRED_HASHTAGS,
    STORIES,
    HIGHLIGHTS,
    CLOSE_FRIENDS,
    STORY_REPLIES,
    STORY_VIEWS,
    HASHTAG_USES,
    HASHTAG_TRENDS,
    STORY_VIEW_COUNTS,
    POST_ENGAGEMENT,
    ENGAGEMENT_FEATURES,
    LATE,
)

_BY_EVENT: dict[type[e.Event], Topic] = {event: topic for topic in TOPICS for event in topic.events}
_BY_NAME: dict[str, Topic] = {topic.name: topic for topic in TOPICS}


def topic_of(event: type[e.Event]) -> Topic:
    """The topic that carries this event type."""
    return _BY_EVENT[event]


def topic_named(name: str) -> Topic:
    """The topic of this name. Raises KeyError for a topic that is not ours."""
    return _BY_NAME[name]
