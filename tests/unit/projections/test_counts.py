"""Sums of what became of records: they always add up, and no record counts twice."""

from hypothesis import given
from hypothesis import strategies as st

from projections.stores.counts import Counts, Fate, counts_of

FATES: tuple[Fate, ...] = ("applied", "duplicates", "noops", "dead", "parked")


@given(
    fates=st.lists(st.sampled_from(FATES), max_size=30),
    cuts=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30))),
)
def test_however_a_stretch_is_cut_and_repeated_it_counts_once(fates: list[Fate], cuts: list[tuple[int, int]]) -> None:
    log = list(enumerate(fates))
    counts = Counts()
    for begin, size in cuts:
        stretch = log[min(begin, counts.below) :][:size]
        counts = counts.after(stretch)
        assert counts.consumed == counts.applied + counts.duplicates + counts.noops + counts.dead + counts.parked
    counts = counts.after(log)
    assert counts == Counts(len(fates), **{fate: fates.count(fate) for fate in FATES}, below=len(fates))


def test_a_position_without_counts_begins_at_zero_and_an_unknown_sum_is_passed_over() -> None:
    assert counts_of(None) == Counts()
    assert counts_of({"consumed": 2, "applied": 2, "below": 7, "of_a_later_version": 9}) == Counts(2, 2, below=7)
