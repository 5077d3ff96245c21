"""When a post is published: once each photograph of it is ready and allowed, and how its followers come to see it.

The decision needs rows of two projections, so it is made beside the folds and stamped into an event. The posts job
asks after it wrote the post, the media job after it wrote a photograph; each writes before it reads, so at least the
later of the two sees everything. Both may decide: it is then the same event twice, and the first is folded.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from photolog.ids import now_ms
from photolog.log.record import StoredRecord
from projections.accounts import ACCOUNTS
from projections.graph import GRAPH_COUNTS
from projections.media import MEDIA, MediaRow, stored_files
from projections.posts import PUBLISHED_POSTS, PostRow
from projections.stores.port import RowStore
from schemas.derived import DerivedEvent
from schemas.events import MediaItem, PostPublished, PostRejected
from streams.bounded import bounded_map
from streams.emission import Emitter
from streams.fanout import chunks_for
from streams.step import Outputs

NOT_ALLOWED = "not-allowed"
"""Why a post is rejected one of whose photographs is refused or was taken down."""
MADE_FOR_A_STORY = "made-for-a-story"
"""Why nothing that was uploaded for a story is part of a post: its day ends, and its files move then."""
_COUNT_ROWS_MAX = 4_096
_CONCURRENCY = 32

Delivery = Literal["push", "pull"]
Candidate = tuple[PostRow, StoredRecord]
"""A post, and the record because of which it is looked at."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How a post is to reach its author's followers, should it be published.

    Args:
        delivery: pushed, or pulled when a feed is read.
        chunks: into how many requests a fan-out is cut.
        priority: whether it goes ahead of others'.
    """

    delivery: Delivery = "push"
    chunks: int = 1
    priority: bool = False


@dataclass(frozen=True, slots=True)
class ReachRule:
    """Who is pushed and who is pulled, and how a fan-out is cut.

    Args:
        celebrity_followers: from so many followers on, an author's posts are pulled.
        return_percent: whose last post was pulled is pushed again below so many percent of these.
        chunk_followers: followers that one request of a fan-out stands for, about.
    """

    celebrity_followers: int
    return_percent: int = 90
    chunk_followers: int = 1_000

    def reach(self, followers: int, before: Delivery | None, verified: bool) -> Reach:
        """How the next post of an author goes out.

        Args:
            followers: how many the author has.
            before: how their last post did, None where there is none.
            verified: whether an operator vouched for the author.
        """
        threshold = self.celebrity_followers
        if before == "pull":
            threshold = threshold * self.return_percent // 100
        delivery: Delivery = "pull" if followers >= max(1, threshold) else "push"
        return Reach(delivery, chunks_for(followers, self.chunk_followers), verified)


def publication(
    post: PostRow, media: Mapping[int, MediaRow], reach: Reach, at_ms: int
) -> PostPublished | PostRejected | None:
    """What is to become of a post.

    Args:
        post: the post.
        media: those of its photographs that have been decoded, or failed to be, as their rows are.
        reach: how it goes out, should it be published.
        at_ms: the time of publication, Unix ms.

    Returns:
        None while a photograph or a verdict about one is outstanding, or one is being collected, which the post may
        still end, or where the post is no longer waiting.
    """
    if post.status != "processing":
        return None
    for media_id in post.media_ids:
        medium = media.get(media_id)
        reason = _objection_of_a_post_to(medium) if medium is not None else None
        if medium is not None and reason is not None:
            return PostRejected(
                post_id=post.post_id, owner_id=post.owner_id, media_id=media_id, reason=reason, rule=medium.rule
            )
    if not all(media_id in media and media[media_id].is_usable for media_id in post.media_ids):
        return None
    return PostPublished(
        post_id=post.post_id,
        owner_id=post.owner_id,
        published_ms=at_ms,
        delivery=reach.delivery,
        media=[item_of(media[media_id]) for media_id in post.media_ids],
        fanout_chunks=reach.chunks,
        fanout_priority=reach.priority,
        hashtags=post.hashtags,
    )


class Publisher:
    """Looks at posts and appends what is decided about them.

    Args:
        rows: posts, media, accounts and counts.
        emitter: takes the decisions.
        rule: how posts reach followers.
        clock_ms: Unix milliseconds.
    """

    def __init__(self, rows: RowStore, emitter: Emitter, rule: ReachRule, clock_ms: Callable[[], int] = now_ms) -> None:
        self._rows = rows
        self._emitter = emitter
        self._rule = rule
        self._clock_ms = clock_ms

    async def consider(self, candidates: Sequence[Candidate]) -> Outputs:
        """Append a decision for each post that is ready for one; answers where they landed."""
        waiting = {post.post_id: (post, cause) for post, cause in candidates if post.status == "processing"}
        decided = await bounded_map(self._decide, list(waiting.values()), _CONCURRENCY)
        return await self._emitter.emit([event for event in decided if event is not None])

    async def reach(self, account_id: int) -> Reach:
        """How an account's next post goes out."""
        counts, last, account = await asyncio.gather(
            self._rows.scan(GRAPH_COUNTS, (account_id,), limit=_COUNT_ROWS_MAX),
            self._rows.scan(PUBLISHED_POSTS, (account_id,), limit=1),
            self._rows.get(ACCOUNTS.key(account_id)),
        )
        followers = sum(count.count for count in counts if count.counter == "followers")
        before = last[0].delivery if last else None
        return self._rule.reach(followers, before, account is not None and account.verified)

    async def _decide(self, candidate: Candidate) -> DerivedEvent | None:
        post, cause = candidate
        found = await self._rows.get_many([MEDIA.key(media_id) for media_id in post.media_ids])
        media = {medium.media_id: medium for medium in found if medium is not None}
        if publication(post, media, Reach(), 0) is None:
            return None
        reach = await self.reach(post.owner_id)
        at_ms = self._clock_ms()
        event = publication(post, media, reach, at_ms)
        return None if event is None else DerivedEvent(event, f"publication/{post.post_id}", at_ms, cause)


def objection_to(medium: MediaRow) -> str | None:
    """Why neither a post nor a story can show it, if so; the gateway lets none have a voice note, and the log might."""
    if medium.status == "failed":
        return medium.reason or "unknown"
    if medium.is_banned:
        return NOT_ALLOWED
    if medium.status == "removed":
        return "collected-media"
    return "voice-note" if medium.kind == "voice" else None


def _objection_of_a_post_to(medium: MediaRow) -> str | None:
    return objection_to(medium) or (MADE_FOR_A_STORY if medium.purpose == "story" else None)


def item_of(medium: MediaRow) -> MediaItem:
    names = [variant.name for variant in stored_files(medium)]
    return MediaItem(
        media_id=medium.media_id,
        width=medium.width,
        height=medium.height,
        variants=names,
        blurhash=medium.blurhash or "",
        kind="video" if medium.kind == "video" else "photo",
        duration_ms=medium.duration_ms,
    )
