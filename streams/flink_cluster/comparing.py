"""What a job told against what a bounded run of it found: the pure part of verifying a job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from schemas.events import EngagementMeasured, Event, HashtagsRanked, StoryViewCounted
from streams.flink_jobs import engagement, story_views, trending

_NEAR = 1e-6
Place = tuple[Any, ...]
"""What a result is about: the scope and window, the story, the subject and window."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A result that differs; None where there is none."""

    place: Place
    told: Event | None
    recomputed: Event | None


@dataclass(slots=True)
class JobVerdict:
    """What a verification found.

    Args:
        compared: how many results were compared.
        late: how many records were left out.
        wrong: those that differ.
    """

    compared: int = 0
    late: int = 0
    wrong: list[Wrong] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which results can be compared: of windows that begin at `since_ms` or later and end at `until_ms` or earlier,
    Unix ms."""

    since_ms: int
    until_ms: int


def place_of(event: Event) -> Place:
    """What a result is about. Raises TypeError for an event that no job tells."""
    match event:
        case HashtagsRanked():
            return event.scope, event.window_end_ms
        case EngagementMeasured():
            window = (event.window_ms, event.valid_from_ms)
            return (event.measured, event.post_id, event.author_id, event.viewer_id, *window)
        case StoryViewCounted():
            return (event.story_id,)
    raise TypeError(f"no job tells {event.type}")


def newest_told(events: Sequence[Event]) -> dict[Place, Event]:
    """For each place what was told last, of counts that only grow the greatest."""
    found: dict[Place, Event] = {}
    for event in events:
        place = place_of(event)
        held = found.get(place)
        if not isinstance(event, StoryViewCounted) or event.views > _views(held):
            found[place] = event
    return found


def compare(
    verdict: JobVerdict,
    job: str,
    before: Mapping[Place, Event],
    after: Mapping[Place, Event],
    found: Sequence[Event],
    since_ms: int,
) -> None:
    """Hold what was told, before the topics were read and after, against what was found in them."""
    recomputed = {place_of(event): event for event in found}
    if job == story_views.NAME:
        # Views come all the time: what was found lies between what was told before and after.
        for place in after.keys() | recomputed.keys():
            least, most = (_views(told.get(place)) for told in (before, after))
            verdict.compared += 1
            if not least <= _views(recomputed.get(place)) <= most:
                verdict.wrong.append(Wrong(place, after.get(place), recomputed.get(place)))
        return
    for length_ms, bounds in _bounds(job, before, since_ms).items():
        wanted = {
            place
            for place in after.keys() | recomputed.keys()
            if _is_within(after.get(place) or recomputed[place], length_ms, bounds)
        }
        verdict.compared += len(wanted)
        for place in sorted(wanted):
            if not is_same(after.get(place), recomputed.get(place)):
                verdict.wrong.append(Wrong(place, after.get(place), recomputed.get(place)))


def is_same(told: Event | None, found: Event | None) -> bool:
    """Whether two results say the same. The order of hashtags says nothing, nor do the last digits of a sum."""
    if isinstance(told, HashtagsRanked) and isinstance(found, HashtagsRanked):
        return sorted((one.hashtag, one.people) for one in told.hashtags) == sorted(
            (one.hashtag, one.people) for one in found.hashtags
        )
    if isinstance(told, EngagementMeasured) and isinstance(found, EngagementMeasured):
        near = all(abs(getattr(told, name) - getattr(found, name)) < _NEAR for name in ("views", "rate"))
        return near and msgspec.structs.replace(told, views=found.views, rate=found.rate) == found
    return told == found


def _views(event: Event | None) -> int:
    return event.views if isinstance(event, StoryViewCounted) else 0


def _window(event: Event) -> tuple[int, int, int]:
    """Length, slide and end of a result's window; where it is known by when it was closed, that is its end."""
    if isinstance(event, HashtagsRanked):
        return trending.WINDOW_MS, trending.SLIDE_MS, event.window_end_ms
    assert isinstance(event, EngagementMeasured)
    return event.window_ms, event.valid_until_ms - event.valid_from_ms, event.valid_from_ms


def _bounds(job: str, told: Mapping[Place, Event], since_ms: int) -> dict[int, Bounds]:
    """For windows of each length, which can be compared: the last one that was told may not be told whole."""
    lengths = {trending.WINDOW_MS} if job == trending.NAME else {window.length_ms for window in engagement.WINDOWS}
    found = {}
    for length_ms in lengths:
        windows = [_window(event) for event in told.values() if _window(event)[0] == length_ms]
        if windows:
            found[length_ms] = Bounds(since_ms, max(end - slide for _, slide, end in windows))
    return found


def _is_within(event: Event, length_ms: int, bounds: Bounds) -> bool:
    length, _, end = _window(event)
    return length == length_ms and end <= bounds.until_ms and end - length >= bounds.since_ms
