"""The order of a tray: whose stories a viewer is shown first, and at which story playback begins."""

from collections.abc import Container, Iterable, Mapping, Sequence

import msgspec

from projections.user_stories import LiveStory


class TrayPlace(msgspec.Struct, frozen=True, gc=False):
    """An owner in a tray.

    Args:
        owner_id: who.
        stories: how many live ones the viewer may see.
        newest_ms: when the last of them was published, Unix ms.
        first_unseen: the first in playback that the viewer did not see; None where all are seen.
    """

    owner_id: int
    stories: int
    newest_ms: int
    first_unseen: int | None


def tray_place(owner_id: int, stories: Sequence[LiveStory], seen: Container[int]) -> TrayPlace:
    """An owner's place.

    Args:
        owner_id: who.
        stories: at least one, in the order of playback.
        seen: ids of stories that the viewer saw.
    """
    unseen = next((story.story_id for story in stories if story.story_id not in seen), None)
    return TrayPlace(owner_id, len(stories), stories[-1].published_ms, unseen)


def in_tray_order(places: Iterable[TrayPlace]) -> list[TrayPlace]:
    """Those with something unseen, then the others; among each the owner of the newest story first."""
    return sorted(places, key=_rank)


def shown_to(stories: Sequence[LiveStory], close_friend: bool) -> Sequence[LiveStory]:
    """Of an owner's stories those that somebody sees who may see the owner."""
    return stories if close_friend else [story for story in stories if story.audience == "everyone"]


def tray_places(stories: Mapping[int, Sequence[LiveStory]], seen: Container[int]) -> list[TrayPlace]:
    """The tray of owners that have stories, in its order."""
    return in_tray_order(tray_place(owner_id, found, seen) for owner_id, found in stories.items() if found)


def _rank(place: TrayPlace) -> tuple[bool, int, int]:
    return place.first_unseen is None, -place.newest_ms, -place.owner_id
