"""Shares: every time a post was passed on, and how often it was."""

from collections.abc import Sequence
from typing import Literal

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put
from schemas import events as e
from schemas import topics

ShareChannel = Literal["link", "message", "story", "other"]


class ShareRow(Row, frozen=True, kw_only=True):
    """One share. Sharing again is another share; the same share again is not."""

    actor_id: int
    share_id: int
    post_id: int
    channel: ShareChannel
    shared_ms: int


class ShareCountRow(Row, frozen=True, kw_only=True):
    """The shares of a post, by source partition."""

    post_id: int
    source: int
    count: int


SHARES = Table("shares", ShareRow, ("actor_id", "share_id"), aggregate=True)
SHARE_COUNTS = Table("share_counts", ShareCountRow, ("post_id",), ("source",))


class SharesProjection:
    """Folds shares: each is there once, and the count follows it."""

    name = "shares"
    topics = (topics.SHARES,)

    def aggregate(self, recorded: Recorded) -> RowKey[ShareRow]:
        """The share; the actor's key places it."""
        event = _share_event(recorded)
        return SHARES.key(event.actor_id, event.share_id)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """The count that the event's partition contributes."""
        return (SHARE_COUNTS.key(_share_event(recorded).post_id, recorded.partition),)

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """A share that is there already changes nothing."""
        event = _share_event(recorded)
        if rows.get(self.aggregate(recorded)) is not None:
            return ()
        before = rows.get(SHARE_COUNTS.key(event.post_id, recorded.partition))
        count = (before.count if before else 0) + 1
        share = ShareRow(
            actor_id=event.actor_id,
            share_id=event.share_id,
            post_id=event.post_id,
            channel=event.channel,
            shared_ms=recorded.timestamp_ms,
        )
        counted = ShareCountRow(post_id=event.post_id, source=recorded.partition, count=count)
        return put(SHARE_COUNTS, counted), put(SHARES, share)


def _share_event(recorded: Recorded) -> e.PostShared:
    if isinstance(recorded.event, e.PostShared):
        return recorded.event
    raise unfoldable(SharesProjection.name, recorded.event)


SHARES_PROJECTION = SharesProjection()
