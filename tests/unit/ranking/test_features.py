"""Features as of a moment hold what was valid then, and nothing of later."""

from hypothesis import given
from hypothesis import strategies as st

from ranking.features import NOTHING, Features, Subject, features_at
from schemas import events as e

WINDOW_MS = 300_000
SUBJECTS = [Subject(1, 0, 0, WINDOW_MS), Subject(0, 2, 0, WINDOW_MS), Subject(0, 2, 3, WINDOW_MS)]


def measured(subject: Subject, from_ms: int, until_ms: int, likes: int) -> e.EngagementMeasured:
    return e.EngagementMeasured(
        measured="post",
        post_id=subject.post_id,
        author_id=subject.author_id,
        viewer_id=subject.viewer_id,
        window_ms=subject.window_ms,
        valid_from_ms=from_ms,
        valid_until_ms=until_ms,
        likes=likes,
        comments=0,
        shares=0,
        saves=0,
        views=0.0,
        rate=likes / 2,
    )


records = st.builds(
    lambda subject, from_ms, life_ms, likes: measured(subject, from_ms, from_ms + life_ms, likes),
    st.sampled_from(SUBJECTS),
    st.integers(0, 20),
    st.integers(0, 10),
    st.integers(1, 1_000),
)


def naive(told: list[e.EngagementMeasured], subject: Subject, moment_ms: int) -> int:
    """The likes that were known, found by looking at every moment up to this one."""
    found = 0
    for then_ms in range(moment_ms + 1):
        for one in told:
            same = (one.post_id, one.author_id, one.viewer_id, one.window_ms) == subject
            if same and one.valid_from_ms == then_ms and one.valid_until_ms > moment_ms:
                found = one.likes
    return found


@given(st.lists(records, max_size=12), st.integers(0, 30))
def test_it_is_what_was_valid_then(told: list[e.EngagementMeasured], moment_ms: int) -> None:
    then = features_at(told, moment_ms)
    assert [then.of(subject).likes for subject in SUBJECTS] == [naive(told, one, moment_ms) for one in SUBJECTS]


@given(st.lists(records, max_size=12), st.integers(0, 30))
def test_what_comes_later_changes_nothing(told: list[e.EngagementMeasured], moment_ms: int) -> None:
    before = [one for one in told if one.valid_from_ms <= moment_ms]
    assert features_at(told, moment_ms) == features_at(before, moment_ms)


def test_it_ends_when_the_next_window_closes() -> None:
    told = [measured(SUBJECTS[0], 10, 20, 4)]
    assert features_at(told, 9).of(SUBJECTS[0]) == NOTHING
    assert features_at(told, 10).of(SUBJECTS[0]) == features_at(told, 19).of(SUBJECTS[0]) == Features(likes=4, rate=2.0)
    assert features_at(told, 20).of(SUBJECTS[0]) == NOTHING
