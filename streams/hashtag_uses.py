"""What follows from a publication for trends: that its author used its hashtags, where anybody may see it."""

import asyncio
from collections.abc import Collection, Sequence
from itertools import chain

import msgspec

from photolog.log.record import StoredRecord
from projections.accounts import ACCOUNTS, AccountRow
from projections.barred_hashtags import ALL, BARRED_HASHTAGS
from projections.posts import POSTS, PostRow
from projections.stores.port import RowStore
from schemas import events as e
from schemas.derived import DerivedEvent
from streams.emission import Emitter
from streams.folding import Folded
from streams.step import Outputs


class Publication(msgspec.Struct, frozen=True):
    """A post that was published for everybody with hashtags, and the record that says so."""

    event: e.PostPublished
    post: PostRow
    cause: StoredRecord


class HashtagUsesReaction:
    """After posts: say of each published one that anybody may see which hashtags it has, but for those that are barred.

    Whether anybody may see it is asked once, when it is published: a window that is closed does not open again.

    Args:
        rows: accounts and barred hashtags.
        emitter: takes what is said.
    """

    def __init__(self, rows: RowStore, emitter: Emitter) -> None:
        self._rows = rows
        self._emitter = emitter

    async def react(self, folded: Folded) -> Outputs:
        """Append a use for each hashtag, under the same id whenever it is asked again."""
        tagged = publications(folded)
        if not tagged:
            return {}
        owners = sorted({publication.post.owner_id for publication in tagged})
        accounts, listed = await asyncio.gather(
            self._rows.get_many([ACCOUNTS.key(owner_id) for owner_id in owners]),
            self._rows.get(BARRED_HASHTAGS.key(ALL)),
        )
        barred = frozenset(listed.hashtags) if listed is not None else frozenset()
        public = {account.account_id for account in accounts if account is not None and _is_public(account)}
        seen = [publication for publication in tagged if publication.post.owner_id in public]
        return await self._emitter.emit(list(chain.from_iterable(uses(publication, barred) for publication in seen)))


def publications(folded: Folded) -> list[Publication]:
    """What the batch published for everybody with hashtags. Who decides about a post may do so twice: the one counts
    that was folded."""
    found: dict[int, Publication] = {}
    for recorded in folded.batch.events:
        event = recorded.event
        if isinstance(event, e.PostPublished) and event.hashtags:
            post = folded.row(POSTS.key(event.post_id))
            if post is not None and _is_seen(post) and post.published_ms == event.published_ms:
                found.setdefault(post.post_id, Publication(event, post, folded.cause(recorded)))
    return list(found.values())


def uses(publication: Publication, barred: Collection[str]) -> Sequence[DerivedEvent]:
    """A use of each hashtag that a post had when it was published, at that moment, but for barred ones."""
    event, cell = publication.event, publication.post.coarse_cell or ""
    return [
        DerivedEvent(
            e.HashtagUsed(
                post_id=event.post_id,
                owner_id=event.owner_id,
                hashtag=hashtag,
                coarse_cell=cell,
                at_ms=event.published_ms,
            ),
            f"hashtag-used/{event.post_id}/{hashtag}",
            event.published_ms,
            publication.cause,
        )
        for hashtag in event.hashtags
        if hashtag not in barred
    ]


def _is_seen(post: PostRow) -> bool:
    return post.status == "published" and post.audience == "public"


def _is_public(account: AccountRow) -> bool:
    return not (account.private or account.suspended or account.deleted)
