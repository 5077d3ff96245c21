"""Trends: the newest window stands, whatever comes later, and the history has every window for a while."""

from hypothesis import given
from hypothesis import strategies as st

from projections.trending import KEPT_MS, PAST_TRENDS, TRENDING_PROJECTION, TRENDS
from schemas import events as e
from tests.unit.projections.folding import START_MS, Folding

SLIDE_MS = 300_000


def ranked(window: int, people: dict[str, int], scope: str = "world") -> e.HashtagsRanked:
    end_ms = START_MS + window * SLIDE_MS
    return e.HashtagsRanked(
        scope=scope,
        window_start_ms=end_ms - 3_600_000,
        window_end_ms=end_ms,
        hashtags=[e.RankedHashtag(hashtag=hashtag, people=count) for hashtag, count in people.items()],
    )


def test_the_most_used_come_first_and_equals_by_their_texts() -> None:
    row = Folding(TRENDING_PROJECTION).apply(ranked(1, {"c": 1, "b": 2, "a": 1})).row(TRENDS.key("world"))
    assert row is not None
    assert list(zip(row.hashtags, row.people, strict=True)) == [("b", 2), ("a", 1), ("c", 1)]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 9)), min_size=1, max_size=12))
def test_the_newest_window_stands_as_it_was_told_last(told: list[tuple[int, int]]) -> None:
    fold = Folding(TRENDING_PROJECTION).apply(*(ranked(window, {"a": people}) for window, people in told))
    last = dict(told)
    newest = fold.row(TRENDS.key("world"))
    assert newest is not None
    assert (newest.window_end_ms, newest.people) == (START_MS + max(last) * SLIDE_MS, [last[max(last)]])
    for window, people in last.items():
        end_ms = START_MS + window * SLIDE_MS
        past = fold.row(PAST_TRENDS.key("world", end_ms))
        assert past is not None
        assert (past.people, past.expires_ms) == ([people], end_ms + KEPT_MS)


def test_scopes_are_apart() -> None:
    fold = Folding(TRENDING_PROJECTION).apply(ranked(2, {"a": 1}), ranked(1, {"b": 1}, "u33d"))
    world, cell = fold.row(TRENDS.key("world")), fold.row(TRENDS.key("u33d"))
    assert world is not None
    assert cell is not None
    assert (world.hashtags, cell.hashtags) == (["a"], ["b"])
