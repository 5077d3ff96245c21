"""When a post is published: once every photograph of it is ready, and how its followers will come to see it.

The decision needs rows of two projections, so it is made beside the folds and stamped into an event. The posts job
asks after it wrote the post, the media job after it wrote a photograph; each writes before it reads, so at least the
later of the two sees everything. Both may decide: it is then the same event twice, and the first is folded.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from photolog.ids import now_ms
from photolog.log.record import StoredRecord
from projections.graph import GRAPH_COUNTS
from projections.media import MEDIA, MediaRow
from projections.posts import PostRow
from projections.stores.port import RowStore
from schemas.derived import DerivedEvent
from schemas.events import MediaItem, MediaVariant, PostPublished, PostRejected
from streams.bounded import bounded_map
from streams.emission import Emitter
from streams.step import Outputs

_COUNT_ROWS_MAX = 4_096
_CONCURRENCY = 32
_VARIANTS = msgspec.json.Decoder(list[MediaVariant])

Candidate = tuple[PostRow, StoredRecord]
"""A post, and the record because of which it is looked at."""


def publication(
    post: PostRow, media: Mapping[int, MediaRow], delivery: str, at_ms: int
) -> PostPublished | PostRejected | None:
    """What is to become of a post.

    Args:
        post: the post.
        media: those of its photographs that have been decoded, or failed to be.
        delivery: "push" or "pull", should it be published.
        at_ms: the time of publication, Unix ms.

    Returns:
        None while a photograph is outstanding, or where the post is no longer waiting.
    """
    if post.status != "processing":
        return None
    for media_id in post.media_ids:
        medium = media.get(media_id)
        if medium is not None and medium.status == "failed":
            reason = medium.reason or "unknown"
            return PostRejected(post_id=post.post_id, owner_id=post.owner_id, media_id=media_id, reason=reason)
    if not all(media_id in media for media_id in post.media_ids):
        return None
    return PostPublished(
        post_id=post.post_id,
        owner_id=post.owner_id,
        published_ms=at_ms,
        delivery="pull" if delivery == "pull" else "push",
        media=[_item(media[media_id]) for media_id in post.media_ids],
    )


def delivery_to(followers: int, celebrity_followers: int) -> str:
    """ "pull" for an author with at least `celebrity_followers` followers, whose posts are merged in on read."""
    return "pull" if followers >= celebrity_followers else "push"


class Publisher:
    """Looks at posts and appends what is decided about them.

    Args:
        rows: posts, media and counts.
        emitter: takes the decisions.
        celebrity_followers: from so many followers on, posts are pulled.
        clock_ms: Unix milliseconds.
    """

    def __init__(
        self, rows: RowStore, emitter: Emitter, celebrity_followers: int, clock_ms: Callable[[], int] = now_ms
    ) -> None:
        self._rows = rows
        self._emitter = emitter
        self._celebrity_followers = celebrity_followers
        self._clock_ms = clock_ms

    async def consider(self, candidates: Sequence[Candidate]) -> Outputs:
        """Append a decision for each post that is ready for one; answers where they landed."""
        waiting = {post.post_id: (post, cause) for post, cause in candidates if post.status == "processing"}
        decided = await bounded_map(self._decide, list(waiting.values()), _CONCURRENCY)
        return await self._emitter.emit([event for event in decided if event is not None])

    async def followers(self, account_id: int) -> int:
        """How many followers an account has."""
        counts = await self._rows.scan(GRAPH_COUNTS, (account_id,), limit=_COUNT_ROWS_MAX)
        return sum(count.count for count in counts if count.counter == "followers")

    async def _decide(self, candidate: Candidate) -> DerivedEvent | None:
        post, cause = candidate
        found = await self._rows.get_many([MEDIA.key(media_id) for media_id in post.media_ids])
        media = {medium.media_id: medium for medium in found if medium is not None}
        if publication(post, media, "push", 0) is None:
            return None
        delivery = delivery_to(await self.followers(post.owner_id), self._celebrity_followers)
        at_ms = self._clock_ms()
        event = publication(post, media, delivery, at_ms)
        return None if event is None else DerivedEvent(event, f"publication/{post.post_id}", at_ms, cause)


def _item(medium: MediaRow) -> MediaItem:
    names = [variant.name for variant in _VARIANTS.decode(medium.variants)]
    return MediaItem(media_id=medium.media_id, width=medium.width, height=medium.height, variants=names)
