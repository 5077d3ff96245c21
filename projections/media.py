"""Media: what became of each upload and of its files, whether it may be published, and which wait for an operator."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put, remove
from schemas import events as e
from schemas import topics

MediaStatus = Literal["ready", "failed", "collected", "removed"]
Moderation = Literal["none", "pending", "allowed", "review", "refused", "taken_down"]
"""Whether media may be published. `none` was never asked about, and may; `pending` waits for the classifiers, `review`
for an operator."""


class MediaRow(Row, frozen=True, kw_only=True):
    """A decoded upload. `variants` is the JSON of `list[schemas.events.MediaVariant]`.

    `blurhash`, `phash` (a signed long) and `digest` are None where the record of before had none. `content_id` names
    the content whose files it shares, 0 where they are its own. `rule` is the one for which it is refused or taken
    down, `review_ms` since when it has been waiting for an operator, 0 where it does not. What is `collected` may be
    made ready again by whoever decides about `collection`, the id of the event that began it; what is `removed` stays
    so, and `variants` still says which files there were.
    """

    media_id: int
    owner_id: int
    status: MediaStatus
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
    moderation: Moderation = "none"
    rule: e.HouseRule | None = None
    review_ms: int = 0
    collection: str = ""

    @property
    def is_banned(self) -> bool:
        """Whether nobody may see or publish it."""
        return self.moderation in ("refused", "taken_down")

    @property
    def is_judged(self) -> bool:
        """Whether nothing more is to be known before it may be published, or not."""
        return self.moderation not in ("pending", "review")

    @property
    def is_usable(self) -> bool:
        """Whether its files are there to stay, and it is judged."""
        return self.status == "ready" and self.is_judged


class ReviewRow(Row, frozen=True, kw_only=True):
    """Media that waits for an operator, in the list of its month, `month` being `since_ms // topics.MONTH_MS`.

    `labels` is the JSON of `list[schemas.events.MediaLabel]`.
    """

    month: int
    since_ms: int
    media_id: int
    owner_id: int
    classifier: str
    reason: str
    labels: bytes


_variants = msgspec.json.Decoder(list[e.MediaVariant])


def stored_files(row: MediaRow) -> list[e.MediaVariant]:
    """The files that a row names, in their order."""
    return _variants.decode(row.variants)


MEDIA = Table("media", MediaRow, ("media_id",), aggregate=True)
REVIEWS = Table("reviews", ReviewRow, ("month",), ("since_ms", "media_id"))

MediaEvent = (
    e.MediaTranscodingCompleted
    | e.MediaTranscodingFailed
    | e.MediaJudged
    | e.MediaReviewed
    | e.MediaTakenDown
    | e.MediaReinstated
    | e.MediaCollected
    | e.MediaKept
    | e.MediaRemoved
    | e.MediaArchived
)


class MediaProjection:
    """Folds what became of uploads. The first answer of the transcode worker is final, as one that was killed may
    answer twice; but what was refused may be made after all. So is the first verdict; what operators decide goes before
    it, and the last decision holds. The keeper's first verdict about a collection counts, too."""

    name = "media"
    topics = (topics.MEDIA_COMPLETED,)

    def aggregate(self, recorded: Recorded) -> RowKey[MediaRow]:
        """The photograph."""
        return MEDIA.key(_media_event(recorded).media_id)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """Nothing else."""
        return ()

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """Ready, once and for all, or failed; what is ready is then judged, and archived, or collected and then kept or
        removed. Another's is not touched."""
        event, before = _media_event(recorded), rows.get(self.aggregate(recorded))
        match event:
            case e.MediaTranscodingCompleted():
                return (put(MEDIA, _ready(event)),) if before is None or _may_be_made(before, event) else ()
            case e.MediaTranscodingFailed():
                return (put(MEDIA, _failed(event)),) if before is None else ()
        if before is None or before.status == "failed" or before.owner_id != event.owner_id:
            return ()
        match event:
            case e.MediaCollected() | e.MediaKept() | e.MediaRemoved() | e.MediaArchived():
                return _kept(before, event, str(recorded.event_id))
        return _moderated(before, event, recorded.timestamp_ms)


def _may_be_made(before: MediaRow, event: e.MediaTranscodingCompleted) -> bool:
    """Whether an upload that was refused is made after all: an operator had a better program try it."""
    return before.status == "failed" and before.owner_id == event.owner_id


def _media_event(recorded: Recorded) -> MediaEvent:
    if isinstance(recorded.event, MediaEvent):
        return recorded.event
    raise unfoldable(MediaProjection.name, recorded.event)


def _moderated(
    before: MediaRow, event: e.MediaJudged | e.MediaReviewed | e.MediaTakenDown | e.MediaReinstated, at_ms: int
) -> Sequence[Write]:
    match event:
        case e.MediaJudged(verdict="review") if before.moderation == "pending":
            return put(REVIEWS, _review(event, at_ms)), _standing(before, "review", review_ms=at_ms)
        case e.MediaJudged(verdict=verdict, rule=rule) if before.moderation == "pending":
            return (_standing(before, verdict, rule=rule),)
        case e.MediaReviewed(decision=decision, rule=rule) if before.moderation != "taken_down":
            return *_off_the_list(before), _standing(before, decision, rule=rule)
        case e.MediaTakenDown(rule=rule):
            return *_off_the_list(before), _standing(before, "taken_down", rule=rule)
        case e.MediaReinstated() if before.moderation == "taken_down":
            return (_standing(before, "allowed"),)
    return ()


def _standing(before: MediaRow, moderation: Moderation, rule: e.HouseRule | None = None, review_ms: int = 0) -> Write:
    after = msgspec.structs.replace(before, moderation=moderation, rule=rule, review_ms=review_ms)
    return put(MEDIA, after)


def _review(event: e.MediaJudged, at_ms: int) -> ReviewRow:
    return ReviewRow(
        month=at_ms // topics.MONTH_MS,
        since_ms=at_ms,
        media_id=event.media_id,
        owner_id=event.owner_id,
        classifier=event.classifier,
        reason=event.reason,
        labels=msgspec.json.encode(event.labels),
    )


def _off_the_list(before: MediaRow) -> tuple[Write, ...]:
    if before.moderation != "review":
        return ()
    since_ms = before.review_ms
    return (remove(REVIEWS.key(since_ms // topics.MONTH_MS, since_ms, before.media_id)),)


def _kept(
    before: MediaRow, event: e.MediaCollected | e.MediaKept | e.MediaRemoved | e.MediaArchived, event_id: str
) -> Sequence[Write]:
    replace = msgspec.structs.replace
    match event:
        case e.MediaCollected() if before.status == "ready":
            return (put(MEDIA, replace(before, status="collected", collection=event_id)),)
        case e.MediaKept(collection=collection) if _decides(before, collection):
            return (put(MEDIA, replace(before, status="ready", collection="")),)
        case e.MediaRemoved(collection=collection) if _decides(before, collection):
            return (put(MEDIA, replace(before, status="removed")),)
        case e.MediaArchived(variants=variants) if before.status in ("ready", "collected"):
            return (put(MEDIA, replace(before, variants=msgspec.json.encode(variants))),)
    return ()


def _decides(before: MediaRow, collection: str) -> bool:
    return before.status == "collected" and before.collection == collection


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
