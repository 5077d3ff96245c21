"""Reports: listed once for each reporter and thing."""

from projections.reports import REPORTS_BY_WEEK, REPORTS_PROJECTION
from schemas import events as e
from schemas.topics import WEEK_MS
from tests.unit.projections.folding import START_MS, Folding


def report(report_id: int, reporter_id: int = 1, target_id: int = 90, note: str | None = "look") -> e.Event:
    return e.ContentReported(
        report_id=report_id,
        reporter_id=reporter_id,
        target="post",
        target_id=target_id,
        post_id=None,
        owner_id=7,
        reason="hate",
        note=note,
    )


def listed(folding: Folding) -> list[int]:
    return [row.report_id for row in folding.rows(REPORTS_BY_WEEK, START_MS // WEEK_MS)]


def test_reports_stand_newest_first_with_their_reason_and_note() -> None:
    folding = Folding(REPORTS_PROJECTION).apply(report(5), report(6, reporter_id=2))
    assert listed(folding) == [6, 5]
    row = folding.rows(REPORTS_BY_WEEK, START_MS // WEEK_MS)[0]
    assert (row.target, row.target_id, row.owner_id, row.reason, row.note) == ("post", 90, 7, "hate", "look")


def test_a_second_report_of_the_same_thing_changes_nothing() -> None:
    folding = Folding(REPORTS_PROJECTION).apply(report(5), report(6), report(7, target_id=91))
    assert listed(folding) == [7, 5]


def test_the_report_of_an_erased_person_has_no_note() -> None:
    folding = Folding(REPORTS_PROJECTION).apply(report(5, note=None))
    assert [row.note for row in folding.rows(REPORTS_BY_WEEK, START_MS // WEEK_MS)] == [None]


def test_a_withdrawn_report_leaves_the_list_with_its_note() -> None:
    gone = e.ReportWithdrawn(reporter_id=1, target="post", target_id=90)
    folding = Folding(REPORTS_PROJECTION).apply(report(5), report(6, reporter_id=2), gone)
    assert listed(folding) == [6]
    assert listed(folding.apply(gone, e.ReportWithdrawn(reporter_id=3, target="post", target_id=90))) == [6]
