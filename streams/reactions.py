"""What follows from a batch whose rows are written: publication, fan-out, entries for timelines.

Each reaction decides from the rows as they are after the batch, so that it may be asked again at any later time.
"""

from collections.abc import Sequence
from functools import partial

from projections.followees import followee_write
from projections.graph import PAIRS, side_of
from projections.media import MediaEvent
from projections.posts import MEDIA_POSTS, POSTS, PUBLISHED_POSTS, PostRow
from projections.stores.port import CacheWrite, RowStore, TimelineEntry, TimelineStore, VersionedCache
from schemas import events as e
from streams.bounded import bounded_map
from streams.emission import Emitter
from streams.fanout import fanout_requests
from streams.folding import Folded
from streams.publication import Candidate, Publisher
from streams.step import Outputs

_CONCURRENCY = 32
_POSTS_PER_MEDIUM_MAX = 100


def posts_of(folded: Folded, kind: type[e.PostCreated | e.PostPublished | e.PostDeleted]) -> list[Candidate]:
    """Each post that has an event of this kind in the batch, as it is after the batch, with the event's record."""
    found = []
    for recorded in folded.batch.events:
        if isinstance(recorded.event, kind):
            post = folded.row(POSTS.key(recorded.event.post_id))
            if post is not None:
                found.append((post, folded.cause(recorded)))
    return found


class PostsReaction:
    """After posts: decide about new ones, fan out published ones, show them to their author.

    Args:
        rows: published posts.
        publisher: decides.
        emitter: takes the fan-out requests.
        timelines: the author's own is among them.
    """

    def __init__(self, rows: RowStore, publisher: Publisher, emitter: Emitter, timelines: TimelineStore) -> None:
        self._rows = rows
        self._publisher = publisher
        self._emitter = emitter
        self._timelines = timelines

    async def react(self, folded: Folded) -> Outputs:
        """Do all of it; answers where decisions and requests landed."""
        decided = await self._publisher.consider(posts_of(folded, e.PostCreated))
        published = [(post, cause) for post, cause in posts_of(folded, e.PostPublished) if post.status == "published"]
        needed = await bounded_map(self._needs_fanout, [post for post, _ in published], _CONCURRENCY)
        wanted = [candidate for candidate, is_needed in zip(published, needed, strict=True) if is_needed]
        exposed = await self._exposed(folded, {post.post_id for post, _ in published})
        requested = await self._emitter.emit(fanout_requests([*wanted, *exposed]))
        await bounded_map(self._show_author, [post for post, _ in published], _CONCURRENCY)
        return {**decided, **requested}

    async def _needs_fanout(self, post: PostRow) -> bool:
        """A pulled post does only where the author's post before it was pushed: it tells timelines to pull."""
        if post.delivery == "push":
            return True
        before = await self._rows.scan(PUBLISHED_POSTS, (post.owner_id,), after=_place(post), limit=1)
        return not before or before[0].delivery == "push"

    async def _exposed(self, folded: Folded, published: set[int]) -> list[Candidate]:
        """Pulled posts that are their author's newest because a pushed one is gone, above them or, in one batch,
        below: timelines are to learn of them. So every timeline knows whose newest post is a pulled one."""
        deleted: dict[int, Candidate] = {}
        for post, cause in posts_of(folded, e.PostDeleted):
            if post.delivery == "push" and (
                post.owner_id not in deleted or _place(post) > _place(deleted[post.owner_id][0])
            ):
                deleted[post.owner_id] = (post, cause)
        newest = await bounded_map(self._newest, list(deleted), _CONCURRENCY)
        return [
            (post, cause)
            for post, (gone, cause) in zip(newest, deleted.values(), strict=True)
            if post is not None
            and post.delivery == "pull"
            and (_place(post) < _place(gone) or post.post_id in published)
        ]

    async def _newest(self, owner_id: int) -> PostRow | None:
        rows = await self._rows.scan(PUBLISHED_POSTS, (owner_id,), limit=1)
        return await self._rows.get(POSTS.key(rows[0].post_id)) if rows else None

    async def _show_author(self, post: PostRow) -> None:
        entry = TimelineEntry(post.published_ms or 0, post.post_id, post.owner_id)
        await self._timelines.merge(post.owner_id, [entry], low_mark_ms=None)


def _place(post: PostRow) -> tuple[int, int]:
    return post.published_ms or 0, post.post_id


class MediaReaction:
    """After media: decide about the posts that wait for them."""

    def __init__(self, rows: RowStore, publisher: Publisher) -> None:
        self._rows = rows
        self._publisher = publisher

    async def react(self, folded: Folded) -> Outputs:
        """Look at every post that holds a photograph of the batch, whatever became of it."""
        causes = {}
        for recorded in folded.batch.events:
            if isinstance(recorded.event, MediaEvent):
                causes[recorded.event.media_id] = folded.cause(recorded)
        holders = await bounded_map(self._posts_with, list(causes), _CONCURRENCY)
        # Which of a post's photographs came last does not matter to the decision.
        cause_of = {
            post_id: cause for cause, post_ids in zip(causes.values(), holders, strict=True) for post_id in post_ids
        }
        posts = await self._rows.get_many([POSTS.key(post_id) for post_id in cause_of])
        return await self._publisher.consider([(post, cause_of[post.post_id]) for post in posts if post is not None])

    async def _posts_with(self, media_id: int) -> list[int]:
        rows = await self._rows.scan(MEDIA_POSTS, (media_id,), limit=_POSTS_PER_MEDIUM_MAX)
        return [row.post_id for row in rows]


class FolloweesReaction:
    """After the graph: keep the cached lists of followees.

    Args:
        cache: takes the followees.
    """

    def __init__(self, cache: VersionedCache) -> None:
        self._cache = cache

    async def react(self, folded: Folded) -> Outputs:
        """Do it; nothing is appended."""
        if changes := followee_changes(folded):
            await self._cache.merge(changes)
        return {}


class NewFollowingsReaction:
    """After the graph: bring the newest posts of a newly followed account into the follower's timeline.

    It comes after `FolloweesReaction`, so that who fills a timeline without the followee has not merged yet. Fan-out
    reads the followers after the post was written, and this reads the posts after the follower was, so a follow and a
    post that race cannot miss each other.

    Args:
        rows: published posts.
        timelines: take the entries, where the follower has one.
        entries: how many posts to take, as many as a timeline holds.
    """

    def __init__(self, rows: RowStore, timelines: TimelineStore, entries: int) -> None:
        self._rows = rows
        self._timelines = timelines
        self._entries = entries

    async def react(self, folded: Folded) -> Outputs:
        """Read each followed account's posts once, however many began to follow it."""
        followers: dict[int, set[int]] = {}
        for follower_id, followee_id in new_followings(folded):
            followers.setdefault(followee_id, set()).add(follower_id)
        for followee_id, follower_ids in followers.items():
            merge = partial(self._merge, await self._posts_of(followee_id))
            await bounded_map(merge, list(follower_ids), _CONCURRENCY)
        return {}

    async def _merge(self, entries: Sequence[TimelineEntry], follower_id: int) -> None:
        if entries:
            await self._timelines.merge(follower_id, entries, low_mark_ms=None)

    async def _posts_of(self, account_id: int) -> list[TimelineEntry]:
        rows = await self._rows.scan(PUBLISHED_POSTS, (account_id,), limit=self._entries)
        return [TimelineEntry(row.published_ms, row.post_id, row.owner_id, row.delivery == "pull") for row in rows]


def followee_changes(folded: Folded) -> list[CacheWrite]:
    """Both or one of the lists of followees that each event may have changed, as they are after the batch."""
    ends = {pair for recorded in folded.batch.events for pair in _may_have_changed(recorded.event)}
    return [_followee(folded, follower_id, followee_id) for follower_id, followee_id in sorted(ends)]


def _may_have_changed(event: e.Event) -> tuple[tuple[int, int], ...]:
    """(follower, followee) of each following that an event can begin or end."""
    match event:
        case e.FollowCreated() | e.FollowApproved() | e.FollowDeferred() | e.FollowDeleted() | e.FollowerRemoved():
            return ((event.follower_id, event.followee_id),)
        case e.AccountBlocked():
            return (event.blocker_id, event.blocked_id), (event.blocked_id, event.blocker_id)
    return ()


def _followee(folded: Folded, follower_id: int, followee_id: int) -> CacheWrite:
    key = PAIRS.key(*sorted((follower_id, followee_id)))
    pair, offset = folded.row(key), folded.state[key].offset
    side = side_of(pair, follower_id) if pair is not None else None
    since_ms = side.follows_since_ms if side is not None and side.follows == "active" else None
    return followee_write(follower_id, followee_id, since_ms, offset)


def new_followings(folded: Folded) -> list[tuple[int, int]]:
    """(follower, followee) of the batch's follows and approvals that stand after it."""
    found = []
    for recorded in folded.batch.events:
        match recorded.event:
            case e.FollowCreated() | e.FollowApproved() as event:
                low, high = sorted((event.follower_id, event.followee_id))
                pair = folded.row(PAIRS.key(low, high))
                if pair is not None and side_of(pair, event.follower_id).follows == "active":
                    found.append((event.follower_id, event.followee_id))
    return found
