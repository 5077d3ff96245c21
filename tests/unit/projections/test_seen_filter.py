"""What filters of seen stories answer, and how long they are."""

import math
import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from projections.seen_filter import (
    DAY_MS,
    SIZES_BYTES,
    capacity_of,
    day_ends_ms,
    day_of,
    made_filter,
    seen_in,
    size_for,
)

ID_MAX = (1 << 63) - 1
ids = st.integers(0, ID_MAX)


@given(viewer_id=ids, story_ids=st.sets(ids, max_size=400))
def test_what_was_seen_is_never_missing(viewer_id: int, story_ids: set[int]) -> None:
    held = made_filter(viewer_id, sorted(story_ids))
    assert seen_in(held, viewer_id, sorted(story_ids)).all()


def test_ten_thousand_stories_and_one_wrong_answer_in_a_hundred() -> None:
    drawn = random.Random(7)
    story_ids = drawn.sample(range(ID_MAX), 10_000)
    held = made_filter(5, story_ids)
    others = [drawn.randrange(ID_MAX) for _ in range(200_000)]
    assert seen_in(held, 5, story_ids).all()
    assert float(seen_in(held, 5, others).mean()) <= 0.01


def test_a_full_filter_of_any_size_errs_in_one_answer_of_a_hundred() -> None:
    drawn = random.Random(8)
    wrong, asked = 0, 0
    for size in SIZES_BYTES[:12]:
        for viewer_id in range(30):
            held = made_filter(viewer_id, [drawn.randrange(ID_MAX) for _ in range(capacity_of(size) - 1)])
            assert len(held) == size
            others = [drawn.randrange(ID_MAX) for _ in range(1_000)]
            wrong += int(seen_in(held, viewer_id, others).sum())
            asked += len(others)
    assert 0.007 <= wrong / asked <= 0.0105


def test_one_viewers_error_is_not_anothers() -> None:
    story_ids, others = list(range(1, 90)), list(range(1_000, 21_000))
    errors = [set(np.flatnonzero(seen_in(made_filter(viewer, story_ids), viewer, others))) for viewer in (1, 2)]
    assert all(errors)
    assert len(errors[0] & errors[1]) < min(map(len, errors)) / 4


def test_a_filter_takes_at_most_a_quarter_more_than_the_smallest_one_would() -> None:
    for stories in range(200, capacity_of(SIZES_BYTES[-1])):
        optimal = stories * -math.log(0.01) / math.log(2) ** 2 / 8
        assert size_for(stories + 1) <= 1.3 * optimal


def test_beyond_the_largest_size_it_grows_no_more() -> None:
    assert capacity_of(SIZES_BYTES[-1]) == 13_571
    drawn = random.Random(9)
    held = made_filter(5, drawn.sample(range(ID_MAX), 20_000))
    assert len(held) == SIZES_BYTES[-1]
    others = [drawn.randrange(ID_MAX) for _ in range(50_000)]
    assert 0.04 <= float(seen_in(held, 5, others).mean()) <= 0.06


def test_a_day_ends_when_its_last_story_does() -> None:
    last_ms = 20_000 * DAY_MS + DAY_MS - 1
    assert day_of(last_ms) == 20_000
    assert day_of(last_ms + 1) == 20_001
    assert day_ends_ms(20_000) == last_ms + 1 + DAY_MS
