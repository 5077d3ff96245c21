"""What a job told against what was computed again: only what can be judged is, and every difference is found."""

from schemas.events import EngagementMeasured, Event, HashtagsRanked, RankedHashtag, StoryViewCounted
from streams.flink_cluster.comparing import JobVerdict, compare, is_same, newest_told
from streams.flink_jobs import engagement, story_views, trending

SLIDE, WINDOW = trending.SLIDE_MS, trending.WINDOW_MS
END = 100 * SLIDE


def ranked(end_ms: int, *people: int, scope: str = "world") -> HashtagsRanked:
    entries = [RankedHashtag(hashtag=f"tag{number}", people=count) for number, count in enumerate(people)]
    return HashtagsRanked(scope=scope, window_start_ms=end_ms - WINDOW, window_end_ms=end_ms, hashtags=entries)


def viewed(views: int, viewer_id: int = 1, story_id: int = 5) -> StoryViewCounted:
    return StoryViewCounted(story_id=story_id, owner_id=2, viewer_id=viewer_id, viewed_ms=1, views=views, expires_ms=9)


def measured(likes: int, rate: float = 1.0, valid_from_ms: int = END) -> EngagementMeasured:
    return EngagementMeasured(
        measured="post", post_id=1, author_id=2, viewer_id=0, window_ms=300_000, valid_from_ms=valid_from_ms,
        valid_until_ms=valid_from_ms + 300_000, likes=likes, comments=0, shares=0, saves=0, views=0.0, rate=rate,
    )  # fmt: skip


def judged(
    job: str, told: list[Event], found: list[Event], *, since_ms: int = 0, later: list[Event] | None = None
) -> JobVerdict:
    verdict = JobVerdict()
    compare(verdict, job, newest_told(told), newest_told([*told, *(later or [])]), found, since_ms)
    return verdict


def test_the_last_window_is_not_judged_as_it_may_not_be_told_whole() -> None:
    told = [ranked(END, 3), ranked(END + SLIDE, 4)]
    verdict = judged("trending", list(told), [ranked(END, 3), ranked(END + SLIDE, 9)])
    assert (verdict.compared, verdict.wrong) == (1, [])


def test_a_wrong_count_a_missing_and_an_invented_window_are_found() -> None:
    told: list[Event] = [ranked(END, 3), ranked(END, 3, scope="u33d"), ranked(END + 5 * SLIDE, 1)]
    verdict = judged("trending", told, [ranked(END, 4), ranked(END + SLIDE, 1)])
    assert sorted(wrong.place for wrong in verdict.wrong) == [("u33d", END), ("world", END), ("world", END + SLIDE)]


def test_windows_of_which_a_part_is_gone_are_not_judged() -> None:
    told: list[Event] = [ranked(END, 3), ranked(END + SLIDE, 3), ranked(END + 2 * SLIDE, 3)]
    verdict = judged("trending", told, [ranked(END, 1), ranked(END + SLIDE, 3)], since_ms=END + SLIDE - WINDOW)
    assert (verdict.compared, verdict.wrong) == (1, [])


def test_what_was_told_last_counts_and_of_views_the_greatest() -> None:
    assert newest_told([ranked(END, 1), ranked(END, 2)]) == {("world", END): ranked(END, 2)}
    assert newest_told([viewed(4), viewed(3, viewer_id=2)]) == {(5,): viewed(4)}


def test_views_that_come_meanwhile_are_no_difference() -> None:
    verdict = judged(story_views.NAME, [viewed(3)], [viewed(4)], later=[viewed(5)])
    assert verdict.wrong == []
    assert [wrong.place for wrong in judged(story_views.NAME, [viewed(3)], [viewed(2)]).wrong] == [(5,)]
    assert [wrong.place for wrong in judged(story_views.NAME, [viewed(3)], []).wrong] == [(5,)]


def test_features_are_the_same_up_to_the_last_digits() -> None:
    assert is_same(measured(1, 1.0), measured(1, 1.0 + 1e-12))
    assert not is_same(measured(1, 1.0), measured(1, 1.01))
    assert not is_same(measured(1), measured(2))
    assert not is_same(measured(1), None)
    told: list[Event] = [measured(1), measured(2, valid_from_ms=END + 300_000)]
    assert len(judged(engagement.NAME, told, [measured(5)]).wrong) == 1
