"""What waits for an operator, the oldest first."""

from collections.abc import Sequence

import msgspec

from gateway.endpoint import Answer, Call, Endpoint, ListQuery
from gateway.pages import Listing, page
from gateway.services import Services
from photolog.ids import EPOCH_MS
from photolog.media.addresses import StoredFile
from photolog.timestamps import rfc3339
from projections.media import MEDIA, REVIEWS, MediaRow, ReviewRow, stored_files
from projections.tables import KeyTuple
from schemas.events import MediaLabel
from schemas.topics import MONTH_MS

SMALL = ("w320.jpeg", "poster.jpeg", "w640.jpeg", "primary")
"""The files that show media small, the first that there is."""
_FIRST_MONTH = EPOCH_MS // MONTH_MS
_labels = msgspec.json.Decoder(list[MediaLabel])


class WaitingMedia(msgspec.Struct, frozen=True, kw_only=True):
    """Media that waits for an operator: why, and what the classifier saw. `picture` leads to a small picture of it, for
    a minute or so; null where there is none. Sizes in pixels; `waiting_since` in RFC 3339."""

    id: str
    owner_id: str
    kind: str
    width: int
    height: int
    duration_ms: int
    waiting_since: str
    classifier: str
    reason: str
    labels: dict[str, float]
    digest: str | None
    picture: str | None


class WaitingPage(msgspec.Struct, frozen=True, kw_only=True):
    items: list[WaitingMedia]
    next_cursor: str | None


async def queue(services: Services, call: Call) -> Answer:
    """What waits for an operator's decision, the oldest first."""
    call.operator_name  # noqa: B018  # refuses everybody else

    async def read(after: KeyTuple | None, limit: int) -> list[ReviewRow]:
        month = _FIRST_MONTH if after is None else after[0] // MONTH_MS
        last = services.clock_ms() // MONTH_MS
        found: list[ReviewRow] = []
        while month <= last and len(found) < limit:
            found += await services.rows.scan(REVIEWS, (month,), after=after, limit=limit - len(found))
            month, after = month + 1, None
        return found

    async def show(rows: Sequence[ReviewRow]) -> list[WaitingMedia | None]:
        media = await services.rows.get_many([MEDIA.key(row.media_id) for row in rows])
        return [_item(services, row, one) for row, one in zip(rows, media, strict=True)]

    listing: Listing[ReviewRow, WaitingMedia] = Listing(read, lambda row: (row.since_ms, row.media_id), show)
    query: ListQuery = call.query
    after = services.cursors.decode("moderation", query.cursor) if query.cursor else None
    items, mark = await page(listing, after, query.limit)
    cursor = services.cursors.encode("moderation", mark) if mark else None
    return Answer(WaitingPage(items=items, next_cursor=cursor))


def _item(services: Services, row: ReviewRow, media: MediaRow | None) -> WaitingMedia | None:
    """None for what was decided since the list was read."""
    if media is None or media.moderation != "review":
        return None
    return WaitingMedia(
        id=str(row.media_id),
        owner_id=str(row.owner_id),
        kind=media.kind,
        width=media.width,
        height=media.height,
        duration_ms=media.duration_ms,
        waiting_since=rfc3339(row.since_ms),
        classifier=row.classifier,
        reason=row.reason,
        labels={label.name: label.score for label in _labels.decode(row.labels)},
        digest=media.digest,
        picture=_picture(services, media),
    )


def _picture(services: Services, media: MediaRow) -> str | None:
    files = {one.name: one for one in stored_files(media)}
    small = next((files[name] for name in SMALL if name in files), None)
    if small is None:
        return None
    seconds = services.settings.s3.view_private_seconds
    if services.edge is None:
        return services.objects.presign_get(small.object_key, seconds)
    # An operator is no viewer that the edge knows. Its owner may see it, and who holds the address sees it as they do.
    return services.edge.signed(StoredFile(media.media_id, small.name), media.owner_id, seconds)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/v1/moderation/queue",
        queue,
        "Media that waits for an operator, the oldest first",
        "moderation",
        auth="operator",
        query=ListQuery,
        response=WaitingPage,
        models=("media",),
    ),
)
