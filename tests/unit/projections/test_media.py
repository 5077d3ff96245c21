"""Media: the first final answer stands."""

import msgspec
import pytest

from projections.media import MEDIA, MEDIA_PROJECTION, REVIEWS, MediaRow, stored_files
from schemas import events as e
from schemas.topics import MONTH_MS
from tests.unit.projections.folding import Folding

VARIANT = e.MediaVariant(
    name="w320.webp", content_type="image/webp", width=320, height=240, size_bytes=9_000, object_key="processed/7/w320"
)
COMPLETED = e.MediaTranscodingCompleted(media_id=7, owner_id=11, width=4_000, height=3_000, variants=[VARIANT])
FAILED = e.MediaTranscodingFailed(media_id=7, owner_id=11, reason="not-an-image", detail="no magic number")


def photograph(*events: e.Event) -> MediaRow | None:
    return Folding(MEDIA_PROJECTION).apply(*events).row(MEDIA.key(7))


def test_a_decoded_photograph_is_ready_with_its_variants() -> None:
    row = photograph(COMPLETED)
    assert row is not None
    assert (row.status, row.width, row.height, row.reason) == ("ready", 4_000, 3_000, None)
    assert msgspec.json.decode(row.variants, type=list[e.MediaVariant]) == [VARIANT]


def test_a_photograph_that_cannot_be_decoded_has_failed_and_says_why() -> None:
    row = photograph(FAILED)
    assert row is not None
    assert (row.status, row.reason, row.detail) == ("failed", "not-an-image", "no magic number")
    assert msgspec.json.decode(row.variants) == []


def test_a_blurhash_is_kept_and_its_absence_too() -> None:
    with_blurhash = photograph(msgspec.structs.replace(COMPLETED, blurhash="LKO2"))
    assert with_blurhash is not None
    assert with_blurhash.blurhash == "LKO2"
    of_before = photograph(COMPLETED)
    assert of_before is not None
    assert of_before.blurhash is None


def test_the_first_answer_is_final() -> None:
    assert photograph(COMPLETED, FAILED) == photograph(COMPLETED)
    assert photograph(FAILED, FAILED) == photograph(FAILED)


def test_what_was_refused_may_be_made_after_all_by_its_owner_alone() -> None:
    assert photograph(FAILED, COMPLETED) == photograph(COMPLETED)
    another = msgspec.structs.replace(COMPLETED, owner_id=12)
    assert photograph(FAILED, another) == photograph(FAILED)


PENDING = msgspec.structs.replace(COMPLETED, moderation="pending")
REVIEWED = {
    decision: e.MediaReviewed(media_id=7, owner_id=11, decision=decision, operator="op", rule=rule)  # type: ignore[arg-type]  # one of the two
    for decision, rule in (("allowed", None), ("refused", "nudity"))
}
DOWN = e.MediaTakenDown(media_id=7, owner_id=11, rule="hate", operator="op")
BACK = e.MediaReinstated(media_id=7, owner_id=11, operator="op")


def judged(verdict: e.Verdict, rule: e.HouseRule | None = None) -> e.MediaJudged:
    return e.MediaJudged(
        media_id=7,
        owner_id=11,
        verdict=verdict,
        reason="why",
        classifier="c",
        rule=rule,
        labels=[e.MediaLabel(name="synthetic", score=0.5)],
    )


@pytest.mark.parametrize(
    ("events", "moderation", "rule"),
    [
        ([COMPLETED, judged("refused", "hate")], "none", None),
        ([PENDING], "pending", None),
        ([PENDING, judged("allowed")], "allowed", None),
        ([PENDING, judged("refused", "hate"), judged("allowed")], "refused", "hate"),
        ([PENDING, judged("review", "hate")], "review", None),
        ([PENDING, judged("review"), REVIEWED["refused"]], "refused", "nudity"),
        ([PENDING, judged("refused", "hate"), REVIEWED["allowed"]], "allowed", None),
        ([PENDING, REVIEWED["allowed"], judged("refused", "hate")], "allowed", None),
        ([PENDING, REVIEWED["allowed"], REVIEWED["refused"]], "refused", "nudity"),
        ([COMPLETED, DOWN], "taken_down", "hate"),
        ([PENDING, DOWN, judged("allowed"), REVIEWED["allowed"]], "taken_down", "hate"),
        ([PENDING, DOWN, BACK], "allowed", None),
        ([PENDING, BACK], "pending", None),
    ],
)
def test_the_first_verdict_stands_until_an_operator_says_otherwise(
    events: list[e.Event], moderation: str, rule: str | None
) -> None:
    row = photograph(*events)
    assert row is not None
    assert (row.moderation, row.rule, row.width) == (moderation, rule, 4_000)


@pytest.mark.parametrize("end", [REVIEWED["allowed"], REVIEWED["refused"], DOWN], ids=lambda event: event.type)
def test_what_waits_for_an_operator_is_listed_until_they_decide(end: e.Event) -> None:
    folding = Folding(MEDIA_PROJECTION).apply(PENDING, judged("review"))
    since_ms = folding.last_ms
    (listed,) = folding.rows(REVIEWS, since_ms // MONTH_MS)
    assert (listed.since_ms, listed.media_id, listed.owner_id, listed.reason) == (since_ms, 7, 11, "why")
    assert msgspec.json.decode(listed.labels, type=list[e.MediaLabel]) == [e.MediaLabel(name="synthetic", score=0.5)]
    assert folding.apply(end).rows(REVIEWS, since_ms // MONTH_MS) == []


@pytest.mark.parametrize("event", [judged("refused"), *REVIEWED.values(), DOWN, BACK], ids=lambda event: event.type)
def test_what_is_not_ready_or_anothers_is_not_judged(event: e.Event) -> None:
    assert photograph(event) is None
    assert photograph(FAILED, event) == photograph(FAILED)
    assert photograph(PENDING, msgspec.structs.replace(event, owner_id=12)) == photograph(PENDING)


COLLECTED = e.MediaCollected(media_id=7, owner_id=11)
ARCHIVED = e.MediaArchived(
    media_id=7, owner_id=11, variants=[msgspec.structs.replace(VARIANT, object_key="archive/7/w320")]
)


def decided(*verdicts: type[e.MediaKept | e.MediaRemoved]) -> MediaRow:
    """What is collected, and then decided about."""
    folding = Folding(MEDIA_PROJECTION).apply(COMPLETED, COLLECTED)
    row = folding.row(MEDIA.key(7))
    assert row is not None
    assert row.status == "collected"
    verdict = [one(media_id=7, owner_id=11, collection=row.collection) for one in verdicts]
    after = folding.apply(*verdict).row(MEDIA.key(7))
    assert after is not None
    return after


def test_the_first_verdict_about_a_collection_counts() -> None:
    assert decided(e.MediaKept) == decided(e.MediaKept, e.MediaRemoved) == photograph(COMPLETED)
    assert decided(e.MediaRemoved).status == decided(e.MediaRemoved, e.MediaKept).status == "removed"


def test_only_what_is_ready_is_collected() -> None:
    assert photograph(FAILED, COLLECTED, ARCHIVED) == photograph(FAILED)
    assert photograph(COLLECTED, ARCHIVED) is None


def test_what_is_archived_while_it_is_collected_is_there_when_it_is_kept() -> None:
    folding = Folding(MEDIA_PROJECTION).apply(COMPLETED, COLLECTED, ARCHIVED)
    row = folding.row(MEDIA.key(7))
    assert row is not None
    assert (row.status, stored_files(row)) == ("collected", ARCHIVED.variants)
    kept = folding.apply(e.MediaKept(media_id=7, owner_id=11, collection=row.collection)).row(MEDIA.key(7))
    assert kept is not None
    assert (kept.status, stored_files(kept)) == ("ready", ARCHIVED.variants)


def test_what_is_removed_is_archived_no_more() -> None:
    folding = Folding(MEDIA_PROJECTION).apply(COMPLETED, COLLECTED)
    row = folding.row(MEDIA.key(7))
    assert row is not None
    gone = folding.apply(e.MediaRemoved(media_id=7, owner_id=11, collection=row.collection)).row(MEDIA.key(7))
    assert folding.apply(ARCHIVED).row(MEDIA.key(7)) == gone


def test_what_is_archived_is_ready_elsewhere() -> None:
    row = photograph(COMPLETED, ARCHIVED, ARCHIVED)
    assert row is not None
    assert (row.status, stored_files(row)) == ("ready", ARCHIVED.variants)


def test_what_is_collected_is_judged_and_taken_down_all_the_same() -> None:
    folding = Folding(MEDIA_PROJECTION).apply(PENDING, COLLECTED, judged("allowed"), DOWN)
    row = folding.row(MEDIA.key(7))
    assert row is not None
    kept = folding.apply(e.MediaKept(media_id=7, owner_id=11, collection=row.collection)).row(MEDIA.key(7))
    assert kept is not None
    assert (kept.status, kept.moderation, kept.rule) == ("ready", "taken_down", "hate")
