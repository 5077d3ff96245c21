"""Reports of content, for operators."""

from collections.abc import Sequence

import msgspec

from gateway.endpoint import Answer, Call, Endpoint, ListQuery
from gateway.pages import Listing, page
from gateway.services import Services
from photolog.ids import EPOCH_MS
from photolog.timestamps import rfc3339
from projections.reports import REPORTS_BY_WEEK, ListedReportRow, ReportReason, ReportTarget
from projections.tables import KeyTuple
from schemas.topics import WEEK_MS

_FIRST_WEEK = EPOCH_MS // WEEK_MS


class ReportItem(msgspec.Struct, frozen=True, kw_only=True):
    """A report. `note` is null where there is none and once the reporter is erased."""

    id: str
    reporter_id: str
    target: ReportTarget
    target_id: str
    post_id: str | None
    owner_id: str
    reason: ReportReason
    note: str | None
    reported_at: str


class ReportPage(msgspec.Struct, frozen=True, kw_only=True):
    items: list[ReportItem]
    next_cursor: str | None


async def reports(services: Services, call: Call) -> Answer:
    """All reports, the newest first."""
    call.operator_name  # noqa: B018  # refuses everybody else

    async def read(after: KeyTuple | None, limit: int) -> list[ListedReportRow]:
        week = (after[0] if after else services.clock_ms()) // WEEK_MS
        found: list[ListedReportRow] = []
        while week >= _FIRST_WEEK and len(found) < limit:
            found += await services.rows.scan(REPORTS_BY_WEEK, (week,), after=after, limit=limit - len(found))
            week, after = week - 1, None
        return found

    async def show(rows: Sequence[ListedReportRow]) -> list[ReportItem | None]:
        return [_item(row) for row in rows]

    listing: Listing[ListedReportRow, ReportItem] = Listing(read, lambda row: (row.reported_ms, row.report_id), show)
    query: ListQuery = call.query
    after = services.cursors.decode("reports", query.cursor) if query.cursor else None
    items, mark = await page(listing, after, query.limit)
    return Answer(ReportPage(items=items, next_cursor=services.cursors.encode("reports", mark) if mark else None))


def _item(row: ListedReportRow) -> ReportItem:
    return ReportItem(
        id=str(row.report_id),
        reporter_id=str(row.reporter_id),
        target=row.target,
        target_id=str(row.target_id),
        post_id=None if row.post_id is None else str(row.post_id),
        owner_id=str(row.owner_id),
        reason=row.reason,
        note=row.note,
        reported_at=rfc3339(row.reported_ms),
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/v1/operator/reports",
        reports,
        "Reports, the newest first",
        "operator",
        auth="operator",
        query=ListQuery,
        response=ReportPage,
        models=("reports",),
    ),
)
