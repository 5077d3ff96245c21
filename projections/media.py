"""Media: what became of each upload."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put
from schemas import events as e
from schemas import topics


class MediaRow(Row, frozen=True, kw_only=True):
    """A decoded upload. `variants` is the JSON of `list[schemas.events.MediaVariant]`.

    `blurhash`, `phash` (a signed long) and `digest` are None where the record of before had none. `content_id` names
    the content whose files it shares, 0 where they are its own.
    """

    media_id: int
    owner_id: int
    status: Literal["ready", "failed"]
    width: int
    height: int
    variants: bytes
    blurhash: str | None
    reason: str | None
    detail: str | None
    kind: e.MediaKind = "photo"
    duration_ms: int = 0
    digest: str | None = None
    phash: int | None = None
    frames: list[int] = msgspec.field(default_factory=list)
    content_id: int = 0
    purpose: e.Purpose = "post"
    moderation: Literal["none", "pending"] = "none"


_variants = msgspec.json.Decoder(list[e.MediaVariant])


def stored_files(row: MediaRow) -> list[e.MediaVariant]:
    """The files that a row names, in their order."""
    return _variants.decode(row.variants)


MEDIA = Table("media", MediaRow, ("media_id",), aggregate=True)


class MediaProjection:
    """Folds the answers of the transcode worker. The first one is final: a worker that was killed may answer twice."""

    name = "media"
    topics = (topics.MEDIA_COMPLETED,)

    def aggregate(self, recorded: Recorded) -> RowKey[MediaRow]:
        """The photograph."""
        match recorded.event:
            case e.MediaTranscodingCompleted() | e.MediaTranscodingFailed() as event:
                return MEDIA.key(event.media_id)
            case other:
                raise unfoldable(self.name, other)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """Nothing else."""
        return ()

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """Ready or failed, once and for all."""
        if rows.get(self.aggregate(recorded)) is not None:
            return ()
        match recorded.event:
            case e.MediaTranscodingCompleted() as event:
                return (put(MEDIA, _ready(event)),)
            case e.MediaTranscodingFailed() as event:
                return (put(MEDIA, _failed(event)),)
        return ()


def _ready(event: e.MediaTranscodingCompleted) -> MediaRow:
    return MediaRow(
        media_id=event.media_id,
        owner_id=event.owner_id,
        status="ready",
        width=event.width,
        height=event.height,
        variants=msgspec.json.encode(event.variants),
        blurhash=event.blurhash or None,
        reason=None,
        detail=None,
        kind=event.kind,
        duration_ms=event.duration_ms,
        digest=event.digest or None,
        phash=event.phash,
        frames=event.frames,
        content_id=event.content_id,
        purpose=event.purpose,
        moderation=event.moderation,
    )


def _failed(event: e.MediaTranscodingFailed) -> MediaRow:
    return MediaRow(
        media_id=event.media_id,
        owner_id=event.owner_id,
        status="failed",
        width=0,
        height=0,
        variants=b"[]",
        blurhash=None,
        reason=event.reason,
        detail=event.detail,
    )


MEDIA_PROJECTION = MediaProjection()
