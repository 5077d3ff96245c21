"""The order of a tray."""

from projections.story_tray import TrayPlace, shown_to, tray_places
from projections.user_stories import LiveStory


def story(story_id: int, published_ms: int) -> LiveStory:
    return LiveStory(story_id, published_ms, published_ms + 86_400_000, "everyone")


STORIES = {1: [story(11, 10), story(12, 40)], 2: [story(21, 30)], 3: [story(31, 50)], 4: []}


def test_unseen_first_by_the_owners_newest_story_and_then_what_is_seen() -> None:
    assert [place.owner_id for place in tray_places(STORIES, set())] == [3, 1, 2]
    assert [place.owner_id for place in tray_places(STORIES, {31})] == [1, 2, 3]
    assert [place.owner_id for place in tray_places(STORIES, {31, 11, 12})] == [2, 3, 1]
    assert [place.owner_id for place in tray_places(STORIES, {31, 11, 12, 21})] == [3, 1, 2]


def test_playback_begins_at_the_first_unseen_story() -> None:
    assert tray_places({1: STORIES[1]}, set()) == [TrayPlace(1, 2, 40, 11)]
    assert tray_places({1: STORIES[1]}, {11}) == [TrayPlace(1, 2, 40, 12)]
    assert tray_places({1: STORIES[1]}, {12}) == [TrayPlace(1, 2, 40, 11)]
    assert tray_places({1: STORIES[1]}, {11, 12}) == [TrayPlace(1, 2, 40, None)]


def test_owners_of_stories_of_one_instant_have_an_order() -> None:
    same = {owner_id: [story(owner_id, 10)] for owner_id in (5, 7, 6)}
    assert [place.owner_id for place in tray_places(same, set())] == [7, 6, 5]


def test_stories_for_close_friends_are_for_them() -> None:
    close = LiveStory(1, 10, 20, "close_friends")
    assert shown_to([close, story(2, 11)], close_friend=True) == [close, story(2, 11)]
    assert shown_to([close, story(2, 11)], close_friend=False) == [story(2, 11)]
