"""The block-list: contents that nobody may publish, by the digests of their files."""

from collections.abc import Sequence

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put, remove
from schemas import events as e
from schemas import topics


class BlockedContentRow(Row, frozen=True, kw_only=True):
    """A content that is blocked; fields as in `schemas.events.ContentBlocked`, `blocked_ms` in Unix milliseconds."""

    digest: str
    rule: e.HouseRule
    operator: str
    note: str
    blocked_ms: int
    media_id: int
    kind: e.MediaKind
    phash: int | None
    duration_ms: int
    frames: list[int]


BLOCKED_CONTENTS = Table("blocked_contents", BlockedContentRow, ("digest",), aggregate=True)


class BlocksProjection:
    """Folds the block-list: what was said last of a content holds."""

    name = "blocks"
    topics = (topics.BLOCKS,)

    def aggregate(self, recorded: Recorded) -> RowKey[BlockedContentRow]:
        """The content."""
        return BLOCKED_CONTENTS.key(_block_event(recorded).digest)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """Nothing else."""
        return ()

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """There, or not."""
        event = _block_event(recorded)
        if isinstance(event, e.ContentUnblocked):
            key = self.aggregate(recorded)
            return () if rows.get(key) is None else (remove(key),)
        row = BlockedContentRow(
            digest=event.digest,
            rule=event.rule,
            operator=event.operator,
            note=event.note,
            blocked_ms=recorded.timestamp_ms,
            media_id=event.media_id,
            kind=event.kind,
            phash=event.phash,
            duration_ms=event.duration_ms,
            frames=event.frames,
        )
        return (put(BLOCKED_CONTENTS, row),)


def _block_event(recorded: Recorded) -> e.ContentBlocked | e.ContentUnblocked:
    if isinstance(recorded.event, e.ContentBlocked | e.ContentUnblocked):
        return recorded.event
    raise unfoldable(BlocksProjection.name, recorded.event)


BLOCKS_PROJECTION = BlocksProjection()
