"""The cached form of an owner's live stories."""

from hypothesis import given
from hypothesis import strategies as st

from projections.user_stories import LIVE_MAX, LiveStory, live_in, user_stories_write

_stories = st.lists(
    st.builds(
        LiveStory,
        story_id=st.integers(0, (1 << 63) - 1),
        published_ms=st.integers(0, 1 << 42),
        expires_ms=st.integers(1, 1 << 42),
        audience=st.sampled_from(["everyone", "close_friends"]),
    ),
    max_size=20,
    unique_by=lambda story: story.story_id,
)


@given(stories=_stories, now_ms=st.integers(0, 1 << 42))
def test_what_is_there_is_read_back_in_the_order_of_playback(stories: list[LiveStory], now_ms: int) -> None:
    write = user_stories_write(7, stories, 5)
    alive = [story for story in stories if story.expires_ms > now_ms]
    assert list(live_in(write.value, now_ms)) == sorted(alive, key=lambda one: (one.published_ms, one.story_id))
    assert write.ends_ms == max((story.expires_ms for story in stories), default=None)


def test_who_has_no_stories_is_known_to_have_none() -> None:
    write = user_stories_write(7, [], 5)
    assert (write.value, write.ends_ms) == (None, None)
    assert list(live_in(write.value, 0)) == []


def test_a_story_is_there_up_to_its_millisecond() -> None:
    value = user_stories_write(7, [LiveStory(1, 10, 1_000, "everyone")], 5).value
    assert [len(live_in(value, now_ms)) for now_ms in (0, 999, 1_000)] == [1, 1, 0]


def test_of_very_many_the_last_are_kept() -> None:
    stories = [LiveStory(number, number, 1_000 + number, "everyone") for number in range(LIVE_MAX + 5)]
    kept = live_in(user_stories_write(7, reversed(stories), 5).value, 0)
    assert [story.story_id for story in kept] == list(range(5, LIVE_MAX + 5))
