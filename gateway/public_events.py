"""What anybody may know of what happened: the one place that decides it for streams, and for whatever else leaves the
house for analysts.

An event is public if it was when it happened and still is. Both are asked of gateway/visibility.py, for a viewer
without an account, and more strictly than it answers:
- A private account's doings are nobody's, also where its name is on another's post; and so is what an account did
  before it last became public.
- What hangs on a post is public only where the post was created as public, is published, and its author's is as above.
- What was taken back since is not public any more: a like that is gone (also where another followed), a comment that is
  gone, an earlier caption.
- That something is gone is told to those who may have seen it, by its id alone: `post.deleted`, `comment.deleted`.

The rules are pure. `PublicView` reads what they need for many events at once, once the rows have come as far as the
events, so that live and history are judged alike.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from gateway.visibility import may_see_post, may_see_posts_of
from photolog.log.ends import Ends
from photolog.positions import Position
from projections.accounts import ACCOUNTS, AccountRow
from projections.comment_likes import COMMENT_LIKES
from projections.comments import COMMENTS, CommentRow
from projections.fold import Recorded
from projections.graph import side_of
from projections.likes import LIKES
from projections.posts import POSTS, PostRow
from projections.relations import NO_RELATION, pair_with
from projections.stores.port import RowStore
from projections.tables import R, Row, RowKey
from projections.writes import ABSENT, Kept
from schemas import events as e
from schemas import topics

_SKEW_MS = 2_000  # by how much the clocks that stamp events may differ
_NEW_MS = 60_000  # an account that acts so soon after its creation may not be in the rows yet
_MODELS: Mapping[str, str] = {
    topics.ACCOUNTS.name: "accounts",
    topics.GRAPH.name: "graph",
    topics.POSTS.name: "posts",
    topics.LIKES.name: "likes",
    topics.COMMENTS.name: "comments",
    topics.COMMENT_LIKES.name: "comment_likes",
}
"""The read model that must have come as far as an event of a topic before its rows tell what became of it."""


class Waiter(Protocol):
    """Waits for read models: gateway.waiting.PositionWaiter."""

    async def wait(self, models: Sequence[str], positions: Sequence[Position]) -> tuple[str, ...]: ...


class Facts:
    """Rows that were read for some events.

    Args:
        kept: what the store holds at each key that was asked for.
    """

    def __init__(self, kept: Mapping[RowKey[Row], Kept]) -> None:
        self._kept = kept

    def get(self, key: RowKey[R]) -> R | None:
        """The row at a key; None where there is none."""
        return self._kept.get(key, ABSENT).row  # type: ignore[return-value]  # the key's table fixes the row's type

    def rows(self) -> Iterator[Row]:
        """The rows that are there."""
        return (kept.row for kept in self._kept.values() if kept.row is not None)

    def public_account(self, account_id: int, at_ms: int) -> bool:
        """Whether an account is public, and has been since before an instant."""
        account = self.get(ACCOUNTS.key(account_id))
        return may_see_posts_of(None, account, NO_RELATION) and _public_since(account, at_ms)

    def public_post(self, post_id: int, at_ms: int) -> PostRow | None:
        """A post that is public, and was at an instant."""
        post = self.get(POSTS.key(post_id))
        if post is None or post.audience != "public" or not self.public_account(post.owner_id, at_ms):
            return None
        return post if may_see_post(None, post, self.get(ACCOUNTS.key(post.owner_id)), NO_RELATION) else None

    def public_comment(self, post_id: int, comment_id: int, at_ms: int) -> CommentRow | None:
        """A comment that is there, whose author is public; its post is asked for by itself."""
        comment = self.get(COMMENTS.key(post_id, comment_id))
        return comment if comment is not None and self.public_account(comment.author_id, at_ms) else None


def _public_since(account: AccountRow | None, at_ms: int) -> bool:
    return account is not None and (account.privacy_version == 0 or at_ms > account.privacy_since_ms + _SKEW_MS)


def rows_of(event: e.Event) -> list[RowKey[Row]]:
    """The rows that decide about an event, as far as the event names them."""
    keys: list[RowKey[Row]] = []
    match event:
        case e.PostLiked():
            keys = [LIKES.key(event.actor_id, event.post_id)]
        case e.CommentLiked():
            keys = [COMMENT_LIKES.key(event.actor_id, event.comment_id)]
            keys.append(COMMENTS.key(event.post_id, event.comment_id))
        case e.CommentCreated():
            keys = [COMMENTS.key(event.post_id, event.comment_id)]
            keys += [COMMENTS.key(event.post_id, event.parent_id)] if event.parent_id is not None else []
        case e.FollowCreated() | e.FollowDeleted():
            keys = [pair_with(event.follower_id, event.followee_id)]
    post_id: int | None = getattr(event, "post_id", None)
    return [*keys, *(ACCOUNTS.key(one) for one in _accounts(event)), *([POSTS.key(post_id)] if post_id else [])]


def _accounts(event: e.Event) -> list[int]:
    """The accounts that an event names."""
    match event:
        case e.AccountCreated() | e.AccountVerified() | e.AccountUnverified():
            return [event.account_id]
        case e.FollowCreated() | e.FollowDeleted():
            return [event.follower_id, event.followee_id]
        case e.PostLiked() | e.PostUnliked() | e.CommentLiked() | e.CommentUnliked():
            return [event.actor_id]
        case e.CommentCreated():
            return [event.author_id, *([event.answered_id] if event.answered_id is not None else [])]
    return []


def rows_behind(facts: Facts) -> set[RowKey[Row]]:
    """The rows that those of `rows_of` lead to: authors of posts and comments."""
    found: set[RowKey[Row]] = set()
    for row in facts.rows():
        match row:
            case PostRow(owner_id=account_id) | CommentRow(author_id=account_id):
                found.add(ACCOUNTS.key(account_id))
    return found


def as_public(event: e.Event, at_ms: int, facts: Facts) -> e.Event | None:
    """An event as anybody may know it.

    Args:
        event: what happened.
        at_ms: when, Unix milliseconds.
        facts: the rows of `rows_of` and `rows_behind`.

    Returns:
        The event, without what is not public any more; None where it is not public at all.
    """
    match event:
        case e.AccountCreated() | e.AccountVerified() | e.AccountUnverified():
            return event if facts.public_account(event.account_id, at_ms) else None
        case e.FollowCreated() | e.FollowDeleted():
            return event if _public_follow(event, at_ms, facts) else None
        case e.PostPublished() | e.PostCaptionChanged() | e.PostDeleted() | e.PostShared():
            return _public_post_event(event, at_ms, facts)
        case e.PostLiked() | e.PostUnliked() | e.CommentLiked() | e.CommentUnliked():
            return event if _public_reaction(event, at_ms, facts) else None
        case e.CommentCreated():
            return _public_comment(event, at_ms, facts)
        case e.CommentDeleted():
            return event if facts.public_post(event.post_id, at_ms) else None
    return None


def _public_follow(event: e.FollowCreated | e.FollowDeleted, at_ms: int, facts: Facts) -> bool:
    if not all(facts.public_account(account_id, at_ms) for account_id in _accounts(event)):
        return False
    if isinstance(event, e.FollowDeleted):
        return True
    pair = facts.get(pair_with(event.follower_id, event.followee_id))
    now = None if pair is None else side_of(pair, event.follower_id)
    stands = now is not None and now.follows == "active" and now.follows_since_ms == at_ms
    return stands and event.wanted_status == "active"


def _public_post_event(
    event: e.PostPublished | e.PostCaptionChanged | e.PostDeleted | e.PostShared, at_ms: int, facts: Facts
) -> e.Event | None:
    if isinstance(event, e.PostDeleted):
        return event if _was_public(facts.get(POSTS.key(event.post_id))) else None
    post = facts.public_post(event.post_id, at_ms)
    if post is None:
        return None
    match event:
        case e.PostPublished():
            still = [hashtag for hashtag in event.hashtags if hashtag in post.hashtags]
            return msgspec.structs.replace(event, hashtags=still)
        case e.PostCaptionChanged():
            published = post.published_ms is not None and at_ms >= post.published_ms
            return event if published and post.edited_ms == at_ms else None
    return event


def _was_public(post: PostRow | None) -> bool:
    """Whether a post was once published as public: whoever was told of it is told that it is gone, whoever asks why."""
    return post is not None and post.audience == "public" and post.published_ms is not None


def _public_reaction(
    event: e.PostLiked | e.PostUnliked | e.CommentLiked | e.CommentUnliked, at_ms: int, facts: Facts
) -> bool:
    if not facts.public_account(event.actor_id, at_ms) or facts.public_post(event.post_id, at_ms) is None:
        return False
    match event:
        case e.PostLiked():
            like = facts.get(LIKES.key(event.actor_id, event.post_id))
            return like is not None and like.liked_ms == at_ms
        case e.CommentLiked():
            liked = facts.get(COMMENT_LIKES.key(event.actor_id, event.comment_id))
            stands = liked is not None and liked.liked_ms == at_ms
            return stands and facts.public_comment(event.post_id, event.comment_id, at_ms) is not None
    return True


def _public_comment(event: e.CommentCreated, at_ms: int, facts: Facts) -> e.Event | None:
    if facts.public_post(event.post_id, at_ms) is None:
        return None
    thread = [event.comment_id, *([event.parent_id] if event.parent_id is not None else [])]
    if not all(facts.public_comment(event.post_id, comment_id, at_ms) for comment_id in thread):
        return None
    if event.answered_id is None or facts.public_account(event.answered_id, at_ms):
        return event
    return msgspec.structs.replace(event, answered_id=None)


class PublicView:
    """Looks at many events at once.

    Args:
        rows: the read models.
        waiter: waits until they have come as far as the events.
        ends: where topics end at this moment.
        pin: has one set of generations seen throughout; asked again for each batch, as whoever reads goes on for days.
        clock_ms: Unix milliseconds.
    """

    def __init__(
        self,
        rows: RowStore,
        waiter: Waiter,
        ends: Callable[[Collection[str]], Awaitable[Ends]],
        pin: Callable[[], Awaitable[object]],
        clock_ms: Callable[[], int],
    ) -> None:
        self._rows = rows
        self._waiter = waiter
        self._ends = ends
        self._pin = pin
        self._clock_ms = clock_ms

    async def reach(self) -> None:
        """Wait until the rows have come as far as the log is now: whatever is read of them from then on, and
        remembered, tells what became of all events of before.

        Raises:
            PositionTimeout: they are behind.
            StoreUnavailable, LogUnavailable: it cannot be told at the moment.
        """
        await self._pin()
        ends = await self._ends(list(_MODELS))
        await self._reach([Position(*place, end - 1) for place, end in ends.items() if end > 0])

    async def of(self, events: Sequence[Recorded]) -> list[e.Event | None]:
        """Each event as anybody may know it, None for one that is not public.

        Raises:
            PositionTimeout: the rows are behind the events.
            StoreUnavailable, LogUnavailable: it cannot be told at the moment.
        """
        await self._pin()
        shown = [one for one in events if type(one.event).analysts]
        await self._come_as_far_as(shown)
        facts = await self._facts(shown)
        if self._names_somebody_new(shown, facts):
            await self._accounts_at_end()
            facts = await self._facts(shown)
        return [as_public(one.event, one.timestamp_ms, facts) if type(one.event).analysts else None for one in events]

    async def _come_as_far_as(self, events: Sequence[Recorded]) -> None:
        newest = {(one.topic, one.partition): one.offset for one in events if one.topic in _MODELS}
        await self._reach([Position(*place, offset) for place, offset in newest.items()])

    async def _reach(self, positions: Sequence[Position]) -> None:
        by_model: dict[str, list[Position]] = {}
        for position in positions:
            by_model.setdefault(_MODELS[position.topic], []).append(position)
        await asyncio.gather(*(self._waiter.wait((model,), behind) for model, behind in by_model.items()))

    async def _facts(self, events: Sequence[Recorded]) -> Facts:
        """Two concurrent reads, however many events."""
        first = await self._rows.load(list({key for one in events for key in rows_of(one.event)}))
        named = Facts(first)
        behind = rows_behind(named) - first.keys()
        return Facts({**first, **await self._rows.load(list(behind))}) if behind else named

    def _names_somebody_new(self, events: Sequence[Recorded], facts: Facts) -> bool:
        """Whether an account is not there that may just have been made."""
        since_ms = self._clock_ms() - _NEW_MS
        return any(
            facts.get(ACCOUNTS.key(account_id)) is None
            for one in events
            if one.timestamp_ms > since_ms
            for account_id in _accounts(one.event)
        )

    async def _accounts_at_end(self) -> None:
        ends = await self._ends([topics.ACCOUNTS.name])
        positions = [Position(*place, end - 1) for place, end in ends.items() if end > 0]
        await self._waiter.wait((_MODELS[topics.ACCOUNTS.name],), positions)
