"""What an export holds, kind by kind: where each kind's rows are found, and how a row is written down.

Where no table lists an account's rows, the log does: each act leads to the row that it made.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from leaving.account_log import AccountLog
from leaving.mentions import ACCOUNT_FIELDS, OTHER_IDS
from projections.accounts import ACCOUNTS
from projections.close_friends import CLOSE_FRIENDS_LIST
from projections.comment_likes import COMMENT_LIKES
from projections.comments import COMMENTS, COMMENTS_BY_POST, REPLIES
from projections.graph import (
    BLOCKS,
    FOLLOW_REQUESTS,
    FOLLOWER_SHARDS,
    FOLLOWERS,
    FOLLOWINGS,
    GRAPH_COUNTS,
    MUTES,
    SENT_REQUESTS,
)
from projections.highlights import HIGHLIGHTS
from projections.likes import LIKES
from projections.media import MEDIA
from projections.posts import POST_COUNTS, POSTS
from projections.reports import REPORTS, REPORTS_BY_WEEK
from projections.saves import SAVED_POSTS
from projections.seen_stories import SEEN_STORIES
from projections.shares import SHARES
from projections.stores.port import RowStore
from projections.stories import STORIES
from projections.story_replies import REACTION, STORY_ANSWERS, STORY_REACTIONS, STORY_REPLIES
from projections.tables import KeyTuple, Row, RowKey, Table
from schemas import events as e
from schemas.topics import WEEK_MS, topic_of

_PAGE_ROWS = 500
_JSON_COLUMNS = {"media", "variants"}


@dataclass(frozen=True, slots=True)
class Source:
    """Where kinds read.

    Args:
        rows: every table.
        log: the account's part of the log.
        account_id: whose export it is.
    """

    rows: RowStore
    log: AccountLog
    account_id: int


Read = Callable[[Source], AsyncIterator[Row]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One file of rows.

    Args:
        name: of the file, without its ending.
        tables: where its rows come from.
        read: finds them.
    """

    name: str
    tables: tuple[Table[Any], ...]
    read: Read


def _keyed(table: Table[Any]) -> Kind:
    """The one row at the account's own key."""

    async def read(source: Source) -> AsyncIterator[Row]:
        row = await source.rows.get(table.key(source.account_id))
        if row is not None:
            yield row

    return Kind("profile", (table,), read)


def _listed(name: str, table: Table[Any], shards: int = 0) -> Kind:
    """The rows of the account's partition, or of each of its shards."""

    async def read(source: Source) -> AsyncIterator[Row]:
        partitions = [(source.account_id, shard) for shard in range(shards)] if shards else [(source.account_id,)]
        for partition in partitions:
            async for row in _partition(source.rows, table, partition):
                yield row

    return Kind(name, (table,), read)


async def _partition(rows: RowStore, table: Table[Any], partition: KeyTuple) -> AsyncIterator[Row]:
    after: KeyTuple | None = None
    while page := await rows.scan(table, partition, after=after, limit=_PAGE_ROWS):
        for row in page:
            yield row
        after = table.key_of(page[-1]).values[len(partition) :]


def _acted(
    name: str, table: Table[Any], event: type[e.Event], key_of: Callable[[int, Any], RowKey[Any]], actor: str
) -> Kind:
    """The rows to which the account's own events lead, each once."""

    async def read(source: Source) -> AsyncIterator[Row]:
        async for key in _keys(source, event, key_of, actor):
            row = await source.rows.get(key)
            if row is not None:
                yield row

    return Kind(name, (table,), read)


async def _keys(
    source: Source, event: type[e.Event], key_of: Callable[[int, Any], RowKey[Any]], actor: str
) -> AsyncIterator[RowKey[Any]]:
    seen: set[KeyTuple] = set()
    async for batch in source.log.batches((topic_of(event),)):
        for named in batch:
            if isinstance(named.event, event) and getattr(named.event, actor) == source.account_id:
                key = key_of(source.account_id, named.event)
                if key.values not in seen:
                    seen.add(key.values)
                    yield key


async def _comments(source: Source) -> AsyncIterator[Row]:
    """Comments and replies with their texts."""
    by_post = lambda _, event: COMMENTS.key(event.post_id, event.comment_id)  # noqa: E731
    async for key in _keys(source, e.CommentCreated, by_post, "author_id"):
        comment = await source.rows.get(key)
        if comment is None:
            continue
        place: RowKey[Any] = COMMENTS_BY_POST.key(comment.post_id, comment.comment_id)
        if comment.parent_id is not None:
            place = REPLIES.key(comment.post_id, comment.parent_id, comment.comment_id)
        listed = await source.rows.get(place)
        if listed is not None:
            yield listed


async def _reports(source: Source) -> AsyncIterator[Row]:
    """Reports with their notes."""
    by_target = lambda account_id, event: REPORTS.key(account_id, event.target, event.target_id)  # noqa: E731
    async for key in _keys(source, e.ContentReported, by_target, "reporter_id"):
        report = await source.rows.get(key)
        if report is not None:
            place = (report.reported_ms // WEEK_MS, report.reported_ms, report.report_id)
            listed = await source.rows.get(REPORTS_BY_WEEK.key(*place))
            if listed is not None:
                yield listed


async def _story_reactions(source: Source) -> AsyncIterator[Row]:
    """The reaction to each story, as it is listed there."""
    by_story = lambda account_id, event: STORY_ANSWERS.key(event.story_id, account_id, REACTION)  # noqa: E731
    async for key in _keys(source, e.StoryReacted, by_story, "sender_id"):
        answer = await source.rows.get(key)
        if answer is not None:
            listed = await source.rows.get(STORY_REACTIONS.key(answer.story_id, answer.sent_ms, answer.sender_id))
            if listed is not None:
                yield listed


KINDS: tuple[Kind, ...] = (
    _keyed(ACCOUNTS),
    _listed("counts", GRAPH_COUNTS),
    _listed("post_counts", POST_COUNTS),
    _acted("posts", POSTS, e.PostCreated, lambda _, event: POSTS.key(event.post_id), "owner_id"),
    _acted("photographs", MEDIA, e.MediaTranscodingCompleted, lambda _, event: MEDIA.key(event.media_id), "owner_id"),
    _acted(
        "failed_photographs", MEDIA, e.MediaTranscodingFailed, lambda _, event: MEDIA.key(event.media_id), "owner_id"
    ),
    Kind("comments", (COMMENTS_BY_POST, REPLIES), _comments),
    _acted("likes", LIKES, e.PostLiked, lambda account_id, event: LIKES.key(account_id, event.post_id), "actor_id"),
    _acted(
        "comment_likes",
        COMMENT_LIKES,
        e.CommentLiked,
        lambda account_id, event: COMMENT_LIKES.key(account_id, event.comment_id),
        "actor_id",
    ),
    _listed("saves", SAVED_POSTS),
    _acted("shares", SHARES, e.PostShared, lambda who, event: SHARES.key(who, event.share_id), "actor_id"),
    Kind("reports", (REPORTS_BY_WEEK,), _reports),
    _listed("following", FOLLOWINGS),
    _listed("followers", FOLLOWERS, FOLLOWER_SHARDS),
    _listed("requests_received", FOLLOW_REQUESTS),
    _listed("requests_sent", SENT_REQUESTS),
    _listed("blocks", BLOCKS),
    _listed("mutes", MUTES),
    _acted("stories", STORIES, e.StoryCreated, lambda _, event: STORIES.key(event.story_id), "owner_id"),
    _listed("close_friends", CLOSE_FRIENDS_LIST),
    _listed("seen_stories", SEEN_STORIES),
    _acted(
        "story_replies",
        STORY_REPLIES,
        e.StoryReplied,
        lambda _, event: STORY_REPLIES.key(event.story_id, event.reply_id),
        "sender_id",
    ),
    Kind("story_reactions", (STORY_REACTIONS,), _story_reactions),
    _acted("highlights", HIGHLIGHTS, e.HighlightSaved, lambda _, event: HIGHLIGHTS.key(event.highlight_id), "owner_id"),
)

MIRRORED: Mapping[str, str] = {
    "pairs": "what is between two people is in the lists of both",
    "follower_heads": "followers",
    "posts_by_owner": "posts",
    "reviews": "photographs",
    "published_posts": "posts",
    "likers": "likes",
    "comments": "comments",
    "saves": "saves",
    "reports": "reports",
    "features": "what is counted of likes, comments, shares, saves and views, for a day at most",
    "stories_by_owner": "stories",
    "user_stories": "stories",
    "close_friends": "close_friends",
    "seen": "seen_stories",
    "story_view_members": "seen_stories",
    "story_viewers": "seen_stories",
    "story_answers": "story_replies",
    "highlighted_stories": "highlights",
    "highlights_by_owner": "highlights",
}
"""Tables that hold again what a kind exports, and which."""


def written(row: Row) -> dict[str, Any]:
    """A row as it is exported: ids are strings, and what is stored as JSON is JSON."""
    return {name: _value(name, value) for name, value in msgspec.structs.asdict(row).items()}


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in ACCOUNT_FIELDS | OTHER_IDS:
        return [str(one) for one in value] if isinstance(value, list) else str(value)
    return msgspec.json.decode(value) if name in _JSON_COLUMNS else value
