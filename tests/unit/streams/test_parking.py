"""What is worked on and what is put aside, record by record."""

from collections.abc import Mapping

import pytest

from photolog.log.growth import Growth, place_in
from photolog.log.record import StoredRecord
from photolog.log.retries import Place, Retry, retry_of
from projections.stores.parked import Parked
from streams.errors import TooMuchParked
from streams.parking import KEY_BYTES_MAX, KEYS_MAX, Parking, Plan

NAME = "likes"
FIRST = Parked(0, since=5, settled=4, last=7)  # 5 is dead; 6 and 7 are parked behind it


def record(offset: int, key: bytes | None = b"k", retry: Retry | None = None) -> StoredRecord:
    return StoredRecord(NAME, 0, offset, key, b"", retry.headers() if retry else (), 0)


def again(
    offset: int, origin: int, behind: int | None, *, dropped: bool = False, ordered: bool = True, projection: str = NAME
) -> StoredRecord:
    place: Place | None = None if behind is None else (0, behind)
    return record(offset, retry=Retry(projection, (0, origin), ordered, place, dropped))


def parking(parked: Mapping[bytes, Parked] | None = None, **options: bool | set[int]) -> Parking:
    return Parking(NAME, parked or {}, lambda place: place[1], **options)  # type: ignore[arg-type]


def told(plan: Plan) -> list[str]:
    return [plan.fates.get(offset, "") for offset in sorted(plan.fates)]


def test_what_comes_behind_a_dead_record_of_its_key_is_parked_and_other_keys_go_on() -> None:
    records = [record(1), record(2), record(3, b"other"), record(4)]
    plan = parking().plan(records, {2: "broken"})
    assert (plan.worked, told(plan)) == ({1, 3}, ["applied", "dead", "applied", "parked"])
    assert [(one.record.offset, one.reason, one.ordered) for one in plan.letters] == [
        (2, "broken", True),
        (4, "parked behind likes/0/2", True),
    ]
    assert plan.parked == {b"k": Parked(0, since=2, settled=1, last=4)}


@pytest.mark.parametrize("key", [None, b"", b"k" * (KEY_BYTES_MAX + 1)])
def test_nothing_waits_behind_a_record_without_a_key_of_ours(key: bytes | None) -> None:
    plan = parking().plan([record(1, key), record(2, key)], {1: "broken"})
    assert (plan.worked, plan.parked, [one.ordered for one in plan.letters]) == ({2}, {}, [False])


def test_nothing_waits_where_order_does_not_matter_or_behind_a_stray() -> None:
    assert parking(ordered=False).plan([record(1), record(2)], {1: "broken"}).worked == {2}
    assert parking(strays={1}).plan([record(1), record(2)], {1: "misplaced"}).parked == {}


def test_a_parked_key_stays_so_over_batches_and_its_letters_say_behind_what() -> None:
    plan = parking({b"k": FIRST}).plan([record(9)], {})
    assert (plan.worked, [one.reason for one in plan.letters]) == (set(), ["parked behind likes/0/5"])
    assert plan.parked == {b"k": Parked(0, since=5, settled=4, last=9)}


def test_retries_in_order_are_let_through_and_the_last_opens_the_key() -> None:
    records = [again(10, 5, None), again(11, 6, 5), again(12, 7, 6), record(13)]
    plan = parking({b"k": FIRST}).plan(records, {})
    assert (plan.worked, plan.parked, plan.letters) == ({10, 11, 12, 13}, {}, [])


def test_what_arrived_in_between_stays_parked_until_it_is_retried_too() -> None:
    plan = parking({b"k": FIRST}).plan([record(9), again(10, 5, None), again(11, 6, 5), again(12, 7, 6)], {})
    assert plan.worked == {10, 11, 12}
    assert plan.parked == {b"k": Parked(0, since=5, settled=7, last=9)}
    assert parking(plan.parked).plan([again(13, 9, 7)], {}).parked == {}


def test_a_retry_never_overtakes_what_failed_again() -> None:
    plan = parking({b"k": FIRST}).plan([again(10, 5, None), again(11, 6, 5)], {10: "still broken"})
    assert (plan.worked, told(plan), plan.parked) == (set(), ["dead", "parked"], {b"k": FIRST})
    assert [(one.record.offset, one.reason) for one in plan.letters] == [(10, "still broken")]
    later = parking(plan.parked).plan([again(12, 7, 6)], {})
    assert (later.worked, told(later), later.letters, later.parked) == (set(), ["parked"], [], {b"k": FIRST})


def test_a_retry_of_what_is_settled_is_a_duplicate_however_long_ago() -> None:
    half = {b"k": Parked(0, since=5, settled=6, last=7)}
    assert told(parking(half).plan([again(10, 5, None), again(11, 6, 5)], {})) == ["duplicates", "duplicates"]
    assert parking(half).plan([again(10, 5, None)], {}).parked == half
    assert told(parking({}).plan([again(10, 5, None)], {})) == ["duplicates"]


def test_a_retry_of_another_projections_letter_is_a_duplicate() -> None:
    plan = parking({b"k": FIRST}).plan([again(10, 5, None, projection="posts")], {})
    assert (told(plan), plan.worked, plan.parked) == (["duplicates"], set(), {b"k": FIRST})


def test_a_record_that_was_given_up_changes_nothing_and_lets_the_next_through() -> None:
    plan = parking({b"k": FIRST}).plan([again(10, 5, None, dropped=True), again(11, 6, 5)], {})
    assert (told(plan), plan.worked) == (["noops", "applied"], {11})
    assert plan.parked == {b"k": Parked(0, since=5, settled=6, last=7)}


def test_a_retry_for_which_nothing_was_parked_waits_like_any_other_record() -> None:
    assert parking().plan([again(10, 5, None, ordered=False)], {}).worked == {10}
    plan = parking({b"k": FIRST}).plan([again(10, 5, None, ordered=False)], {})
    assert (told(plan), plan.parked[b"k"].last) == (["parked"], 10)


def test_what_was_seen_before_is_worked_on_as_then_and_leaves_no_letter() -> None:
    records = [record(4), record(5), record(6, b"other"), record(7), again(8, 5, None)]
    half = {b"k": Parked(0, since=5, settled=5, last=7)}
    plan = parking(half, seen=True).plan(records, {})
    assert (plan.worked, plan.letters, plan.parked) == ({4, 5, 6, 8}, [], half)
    assert parking(half, seen=True).plan(records, {6: "broken"}).letters == []


def test_more_keys_than_may_be_are_an_error_and_fewer_are_let_go_on() -> None:
    records = [record(offset, b"%d" % offset) for offset in range(KEYS_MAX + 1)]
    dead = {one.offset: "broken" for one in records}
    assert len(parking().plan(records[:-1], dead).parked) == KEYS_MAX
    with pytest.raises(TooMuchParked, match="likes: 1001 keys of likes/0"):
        parking().plan(records, dead)


def test_places_go_on_behind_a_growth() -> None:
    history = (Growth(1, 2, (8,)),)
    grown = Parking(NAME, {b"k": FIRST}, lambda place: place_in(history, place))
    plan = grown.plan([StoredRecord(NAME, 1, 0, b"k", b"", (), 0)], {})
    assert plan.parked[b"k"].last > FIRST.last
    assert plan.letters[0].reason == "parked behind likes/0/5"


def test_headers_that_nobody_of_ours_wrote_make_no_retry() -> None:
    for headers in ((("retry_of", b"x"),), (("retry_of", b"1/2"), ("retry_behind", b"3")), (("retry_of", None),)):
        assert retry_of(StoredRecord(NAME, 0, 1, b"k", b"", headers, 0)) is None
    told_again = retry_of(again(1, 5, 4, dropped=True))
    assert told_again == Retry(NAME, (0, 5), True, (0, 4), True)
