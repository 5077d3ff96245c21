"""Features: of each window the newest measurement stands, as long as it is valid."""

from hypothesis import given
from hypothesis import strategies as st

from projections.features import FEATURES, FEATURES_PROJECTION
from schemas import events as e
from tests.unit.projections.folding import START_MS, Folding

KEY = FEATURES.key(7, 0, 0, 300_000)


def measured(from_ms: int, until_ms: int, likes: int = 1) -> e.EngagementMeasured:
    return e.EngagementMeasured(
        measured="post",
        post_id=7,
        author_id=0,
        viewer_id=0,
        window_ms=300_000,
        valid_from_ms=from_ms,
        valid_until_ms=until_ms,
        likes=likes,
        comments=0,
        shares=0,
        saves=0,
        views=0.0,
        rate=1.0,
    )


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), min_size=1, max_size=12))
def test_the_newest_stands_as_it_was_told_last(told: list[tuple[int, int]]) -> None:
    moments = [(START_MS + window * 300_000, likes) for window, likes in told]
    row = (
        Folding(FEATURES_PROJECTION)
        .apply(*(measured(from_ms, from_ms + 300_000, likes) for from_ms, likes in moments))
        .row(KEY)
    )
    last = dict(moments)
    assert row is not None
    assert (row.valid_from_ms, row.likes) == (max(last), last[max(last)])


def test_a_measurement_ends() -> None:
    row = Folding(FEATURES_PROJECTION).apply(measured(START_MS, START_MS + 300_000)).row(KEY)
    assert row is not None
    assert FEATURES.is_alive(row, START_MS + 299_999)
    assert not FEATURES.is_alive(row, START_MS + 300_000)
