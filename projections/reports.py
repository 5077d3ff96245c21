"""Reports of content, as operators read them: newest first, week by week."""

from collections.abc import Sequence
from typing import Literal

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put, remove
from schemas import events as e
from schemas import topics

ReportTarget = Literal["post", "comment", "account"]
ReportReason = e.HouseRule


class ReportRow(Row, frozen=True, kw_only=True):
    """That somebody reported something. They do so once: a second report of the same thing changes nothing."""

    reporter_id: int
    target: ReportTarget
    target_id: int
    report_id: int
    reported_ms: int


class ListedReportRow(Row, frozen=True, kw_only=True):
    """A report in the list of its week, `week` being `reported_ms // topics.WEEK_MS`."""

    week: int
    reported_ms: int
    report_id: int
    reporter_id: int
    target: ReportTarget
    target_id: int
    post_id: int | None
    owner_id: int
    reason: ReportReason
    note: str | None


REPORTS = Table("reports", ReportRow, ("reporter_id", "target", "target_id"), aggregate=True)
REPORTS_BY_WEEK = Table("reports_by_week", ListedReportRow, ("week",), ("-reported_ms", "-report_id"))


class ReportsProjection:
    """Folds reports: the first of a reporter about one thing stands, until it is withdrawn."""

    name = "reports"
    topics = (topics.REPORTS,)

    def aggregate(self, recorded: Recorded) -> RowKey[ReportRow]:
        """The reporter and what they reported; the reporter's key places it."""
        event = _report_event(recorded)
        return REPORTS.key(event.reporter_id, event.target, event.target_id)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """Nothing else."""
        return ()

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """List a first report, or take it off the list."""
        event = _report_event(recorded)
        key = self.aggregate(recorded)
        before = rows.get(key)
        if isinstance(event, e.ReportWithdrawn):
            return () if before is None else (remove(_place(before)), remove(key))
        if before is not None:
            return ()
        at_ms = recorded.timestamp_ms
        listed = ListedReportRow(
            week=at_ms // topics.WEEK_MS,
            reported_ms=at_ms,
            report_id=event.report_id,
            reporter_id=event.reporter_id,
            target=event.target,
            target_id=event.target_id,
            post_id=event.post_id,
            owner_id=event.owner_id,
            reason=event.reason,
            note=event.note,
        )
        row = ReportRow(
            reporter_id=event.reporter_id,
            target=event.target,
            target_id=event.target_id,
            report_id=event.report_id,
            reported_ms=at_ms,
        )
        return put(REPORTS_BY_WEEK, listed), put(REPORTS, row)


def _place(report: ReportRow) -> RowKey[ListedReportRow]:
    return REPORTS_BY_WEEK.key(report.reported_ms // topics.WEEK_MS, report.reported_ms, report.report_id)


def _report_event(recorded: Recorded) -> e.ContentReported | e.ReportWithdrawn:
    if isinstance(recorded.event, e.ContentReported | e.ReportWithdrawn):
        return recorded.event
    raise unfoldable(ReportsProjection.name, recorded.event)


REPORTS_PROJECTION = ReportsProjection()
