"""Posts: from creation to publication, caption and deletion, by post and by owner."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put, remove
from schemas import events as e
from schemas import topics

PostStatus = Literal["processing", "published", "rejected", "deleted"]


class PostRow(Row, frozen=True, kw_only=True):
    """A post, whole. `media` is the JSON of `list[schemas.events.MediaItem]` once published; an alt text that is
    not there is an empty string. `fanout_*` is how a published post goes out. `rule` is the one for which it was
    rejected or, where it is deleted, taken down by an operator. `coarse_cell` is the geohash of its place."""

    post_id: int
    owner_id: int
    status: PostStatus
    caption: str | None
    mentions: list[str]
    hashtags: list[str]
    alt_texts: list[str]
    location_name: str | None
    location_latitude: float | None
    location_longitude: float | None
    audience: Literal["public", "followers"]
    media_ids: list[int]
    media: bytes | None
    delivery: Literal["push", "pull"] | None
    created_ms: int
    published_ms: int | None
    edited_ms: int | None
    rejection: str | None
    fanout_chunks: int = 16
    fanout_priority: bool = False
    rule: e.HouseRule | None = None
    coarse_cell: str | None = None

    @property
    def is_taken_down(self) -> bool:
        """Whether an operator took it down."""
        return self.status == "deleted" and self.rule is not None


class OwnedPostRow(Row, frozen=True, kw_only=True):
    """A post under its owner, whatever its status (but deleted), newest id first: the owner's own grid."""

    owner_id: int
    post_id: int
    status: PostStatus


class PublishedPostRow(Row, frozen=True, kw_only=True):
    """A published post under its owner in publication order: everyone else's grid, and what fills a timeline."""

    owner_id: int
    published_ms: int
    post_id: int
    delivery: Literal["push", "pull"] = "push"


class MediaPostRow(Row, frozen=True, kw_only=True):
    """Which posts hold a photograph, so that its completion finds them."""

    media_id: int
    post_id: int


class PostCountRow(Row, frozen=True, kw_only=True):
    """How many published posts an account has, by source partition."""

    account_id: int
    source: int
    count: int


POSTS = Table("posts", PostRow, ("post_id",), aggregate=True)
POSTS_BY_OWNER = Table("posts_by_owner", OwnedPostRow, ("owner_id",), ("-post_id",))
PUBLISHED_POSTS = Table("published_posts", PublishedPostRow, ("owner_id",), ("-published_ms", "-post_id"))
MEDIA_POSTS = Table("media_posts", MediaPostRow, ("media_id",), ("post_id",))
POST_COUNTS = Table("post_counts", PostCountRow, ("account_id",), ("source",))


class PostsProjection:
    """Folds the life of a post: processing, then published or rejected, at last deleted."""

    name = "posts"
    topics = (topics.POSTS,)

    def aggregate(self, recorded: Recorded) -> RowKey[PostRow]:
        """The post."""
        return POSTS.key(_post_event(recorded).post_id)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """The owner's count, where the event may move it."""
        match recorded.event:
            case e.PostPublished() | e.PostDeleted() as event:
                return (POST_COUNTS.key(event.owner_id, recorded.partition),)
        return ()

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """Only a processing post is published or rejected; a deleted one stays as it is; another's is not touched."""
        event = _post_event(recorded)
        before = rows.get(POSTS.key(event.post_id))
        if before is None:
            return _created(event, recorded.timestamp_ms) if isinstance(event, e.PostCreated) else ()
        if before.owner_id != event.owner_id:
            return ()
        match event:
            case e.PostPublished() if before.status == "processing":
                return _published(rows, recorded, before, event)
            case e.PostRejected(reason=reason, rule=rule) if before.status == "processing":
                return _with_status(before, "rejected", rejection=reason, rule=rule)
            case e.PostCaptionChanged() if before.status != "deleted":
                return (put(POSTS, _captioned(before, event, recorded.timestamp_ms)),)
            case e.PostDeleted(taken_down=rule) if before.status != "deleted":
                return _deleted(rows, recorded, before, rule)
        return ()


PostEvent = e.PostCreated | e.PostPublished | e.PostRejected | e.PostCaptionChanged | e.PostDeleted


def _post_event(recorded: Recorded) -> PostEvent:
    if isinstance(recorded.event, PostEvent):
        return recorded.event
    raise unfoldable(PostsProjection.name, recorded.event)


def _created(event: e.PostCreated, at_ms: int) -> Sequence[Write]:
    location = event.location
    post = PostRow(
        post_id=event.post_id,
        owner_id=event.owner_id,
        status="processing",
        caption=event.caption,
        mentions=event.mentions or [],
        hashtags=event.hashtags,
        alt_texts=[text or "" for text in event.alt_texts or []],
        location_name=location.name if location else None,
        location_latitude=location.latitude if location else None,
        location_longitude=location.longitude if location else None,
        audience=event.audience,
        media_ids=event.media_ids,
        media=None,
        delivery=None,
        created_ms=at_ms,
        published_ms=None,
        edited_ms=None,
        rejection=None,
        coarse_cell=event.coarse_cell,
    )
    listed = [put(MEDIA_POSTS, MediaPostRow(media_id=medium, post_id=event.post_id)) for medium in event.media_ids]
    return (*listed, _owned(post), put(POSTS, post))


def _published(rows: Rows, recorded: Recorded, post: PostRow, event: e.PostPublished) -> Sequence[Write]:
    place = PublishedPostRow(
        owner_id=post.owner_id, published_ms=event.published_ms, post_id=post.post_id, delivery=event.delivery
    )
    media = msgspec.json.encode(event.media)
    return (
        put(PUBLISHED_POSTS, place),
        _counted(rows, recorded, post.owner_id, 1),
        *_with_status(
            post,
            "published",
            media=media,
            delivery=event.delivery,
            published_ms=event.published_ms,
            fanout_chunks=event.fanout_chunks,
            fanout_priority=event.fanout_priority,
        ),
    )


def _deleted(rows: Rows, recorded: Recorded, post: PostRow, rule: e.HouseRule | None) -> Sequence[Write]:
    """What remains says that the post was there, which files to purge and why an operator took it down, if one did, and
    nothing that its author wrote."""
    gone: list[Write] = [remove(MEDIA_POSTS.key(medium, post.post_id)) for medium in post.media_ids]
    gone.append(remove(POSTS_BY_OWNER.key(post.owner_id, post.post_id)))
    if post.status == "published":
        gone.append(remove(PUBLISHED_POSTS.key(post.owner_id, post.published_ms, post.post_id)))
        gone.append(_counted(rows, recorded, post.owner_id, -1))
    emptied = msgspec.structs.replace(
        post,
        status="deleted",
        rule=rule,
        caption=None,
        mentions=[],
        hashtags=[],
        alt_texts=[],
        location_name=None,
        location_latitude=None,
        location_longitude=None,
        coarse_cell=None,
    )
    return (*gone, put(POSTS, emptied))


def _captioned(post: PostRow, event: e.PostCaptionChanged, at_ms: int) -> PostRow:
    return msgspec.structs.replace(
        post, caption=event.caption, mentions=event.mentions or [], hashtags=event.hashtags, edited_ms=at_ms
    )


def _with_status(post: PostRow, status: PostStatus, **changes: object) -> Sequence[Write]:
    after = msgspec.structs.replace(post, status=status, **changes)
    return _owned(after), put(POSTS, after)


def _owned(post: PostRow) -> Write:
    return put(POSTS_BY_OWNER, OwnedPostRow(owner_id=post.owner_id, post_id=post.post_id, status=post.status))


def _counted(rows: Rows, recorded: Recorded, account_id: int, change: int) -> Write:
    before = rows.get(POST_COUNTS.key(account_id, recorded.partition))
    count = (before.count if before else 0) + change
    return put(POST_COUNTS, PostCountRow(account_id=account_id, source=recorded.partition, count=count))


POSTS_PROJECTION = PostsProjection()
