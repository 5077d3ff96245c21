"""The feed's rules: stretches merge as far as the least complete of them, and never skip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.feed import (
    BEGINNING,
    Stretch,
    behind,
    continued,
    entry_of,
    floor_of,
    low_mark_of,
    merged,
    newest,
    place_of,
    stretch_of_page,
    stretch_of_rows,
)
from projections.posts import PublishedPostRow
from projections.stores.port import TimelineEntry, TimelinePage


def entry(published_ms: int, author_id: int = 1, post_id: int | None = None) -> TimelineEntry:
    return TimelineEntry(published_ms, published_ms if post_id is None else post_id, author_id)


def row(published_ms: int, author_id: int = 1) -> PublishedPostRow:
    return PublishedPostRow(owner_id=author_id, published_ms=published_ms, post_id=published_ms)


def test_a_full_page_is_complete_down_to_its_last_entry() -> None:
    page = TimelinePage(True, (entry(9), entry(8)), low_mark_ms=3)
    assert stretch_of_page(page, 2).complete_from == (8, 8)


def test_a_page_that_ran_out_is_complete_above_the_mark() -> None:
    page = TimelinePage(True, (entry(9), entry(8)), low_mark_ms=3)
    assert stretch_of_page(page, 3).complete_from == (4, 0)
    assert not stretch_of_page(page, 3).ended


def test_a_page_that_ran_out_of_a_whole_timeline_is_the_end() -> None:
    assert stretch_of_page(TimelinePage(True, (entry(9),), low_mark_ms=0), 3).ended


@pytest.mark.parametrize(("count", "complete_from"), [(2, (8, 8)), (3, BEGINNING)])
def test_rows_are_complete_to_the_last_one_unless_there_were_fewer(count: int, complete_from: tuple[int, int]) -> None:
    assert stretch_of_rows([row(9), row(8)], count).complete_from == complete_from


def test_merging_stops_where_a_source_was_not_read_on() -> None:
    short = Stretch([entry(9), entry(7)], complete_from=(7, 7))
    deep = Stretch([entry(8, 2), entry(6, 2), entry(5, 2)], BEGINNING)
    both = merged([short, deep])
    assert [place[0] for place in map(place_of, both.entries)] == [9, 8, 7]
    assert both.complete_from == (7, 7)


def test_an_entry_of_two_sources_is_shown_once() -> None:
    pulled = TimelineEntry(9, 9, 1, pull=True)
    both = merged([Stretch([entry(9)], BEGINNING), Stretch([pulled], BEGINNING)])
    assert [place_of(item) for item in both.entries] == [(9, 9)]


def test_cutting_a_stretch_makes_it_complete_down_to_the_cut() -> None:
    stretch = Stretch([entry(9), entry(8), entry(7)], BEGINNING)
    assert newest(stretch, 2) == Stretch([entry(9), entry(8)], (8, 8))
    assert newest(stretch, 3) == stretch


def test_what_lies_behind_a_place_excludes_the_place() -> None:
    stretch = Stretch([entry(9), entry(8), entry(7)], (7, 7))
    assert behind(stretch, (8, 8)).entries == [entry(7)]
    nothing_known = behind(stretch, (3, 3))
    assert (nothing_known.entries, nothing_known.complete_from) == ([], (3, 3))


def test_a_stretch_goes_on_with_what_was_read_behind_it() -> None:
    both = continued(Stretch([entry(9)], (9, 9)), Stretch([entry(8)], BEGINNING))
    assert ([item.published_ms for item in both.entries], both.ended) == ([9, 8], True)


def test_a_timeline_made_of_a_stretch_is_complete_after_its_last_instant() -> None:
    assert low_mark_of(Stretch([entry(9), entry(8)], (8, 8))) == 8
    assert low_mark_of(Stretch([], BEGINNING)) == 0


def test_a_published_row_becomes_an_entry_that_knows_whether_it_was_pushed() -> None:
    pulled = PublishedPostRow(owner_id=4, published_ms=9, post_id=8, delivery="pull")
    assert entry_of(pulled) == TimelineEntry(9, 8, 4, pull=True)
    assert not entry_of(row(3)).pull


_entries = st.builds(
    lambda published_ms, post_id: TimelineEntry(published_ms, post_id, post_id % 3),
    st.integers(1, 12),
    st.integers(1, 9),
)


@given(st.lists(st.tuples(st.sets(_entries), st.integers(0, 15)), min_size=1, max_size=5))
def test_a_merge_holds_exactly_what_its_sources_hold_as_far_as_it_is_complete(
    sources: list[tuple[set[TimelineEntry], int]],
) -> None:
    # Each source was read down to some instant, and knows nothing below it.
    stretches = [
        Stretch(sorted((item for item in held if item.published_ms >= floor), reverse=True), (floor, 0))
        for held, floor in sources
    ]
    result = merged(stretches)
    truth = {item for held, _ in sources for item in held if place_of(item) >= result.complete_from}
    assert list(result.entries) == sorted(truth, reverse=True)
    assert result.complete_from == max(stretch.complete_from for stretch in stretches)


@given(st.lists(_entries, unique_by=place_of), st.integers(1, 10))
def test_the_floor_leaves_exactly_as_many_above_it_as_are_wanted(entries: list[TimelineEntry], count: int) -> None:
    floor = floor_of(entries, count)
    assert len([item for item in entries if place_of(item) >= floor]) == min(count, len(entries))
