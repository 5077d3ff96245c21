"""The home feed, as pure rules: how sources merge into one stretch, when it is complete, and where a page ends.

A feed is everything that its sources posted, newest first. Each source tells of a part only: a timeline down to its
mark, an author's rows down to the last one that was read. A stretch says how far down it is complete, and merging
stretches is complete as far as the least complete of them, so that no page ever skips what another source has.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from projections.posts import PublishedPostRow
from projections.stores.port import TimelineEntry, TimelinePage

Place = tuple[int, int]
"""(published_ms, post_id): where an entry stands."""

BEGINNING: Place = (0, 0)
"""The place of the oldest entry that there could be."""

TOP: Place = (1 << 62, 0)
"""The place above the newest entry that there could be."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive entries of a feed, newest first.

    Args:
        entries: all there are, from wherever the reader began down to `complete_from`.
        complete_from: the lowest place down to which, itself included, nothing is missing.
    """

    entries: Sequence[TimelineEntry]
    complete_from: Place

    @property
    def ended(self) -> bool:
        """Whether there is nothing below."""
        return self.complete_from <= BEGINNING


def place_of(entry: TimelineEntry) -> Place:
    """Where an entry stands."""
    return entry.published_ms, entry.post_id


def entry_of(row: PublishedPostRow) -> TimelineEntry:
    """A published post as an entry."""
    return TimelineEntry(row.published_ms, row.post_id, row.owner_id, row.delivery == "pull")


def stretch_of_page(page: TimelinePage, limit: int) -> Stretch:
    """What a timeline tells: `limit` is what it was asked for."""
    if len(page.entries) >= limit:
        return Stretch(page.entries, place_of(page.entries[-1]))
    return Stretch(page.entries, BEGINNING if page.low_mark_ms <= 0 else (page.low_mark_ms + 1, 0))


def stretch_of_rows(rows: Sequence[PublishedPostRow], limit: int) -> Stretch:
    """What one author's rows tell: `limit` is how many were asked for."""
    entries = [entry_of(row) for row in rows]
    return Stretch(entries, place_of(entries[-1]) if len(entries) >= limit else BEGINNING)


def merged(stretches: Sequence[Stretch]) -> Stretch:
    """One stretch of many that began at the same place. An entry that several tell of is there once."""
    complete_from = max(stretch.complete_from for stretch in stretches)
    entries: list[TimelineEntry] = []
    # Sorting runs that are sorted is quicker than merging them one entry at a time.
    for entry in sorted(chain.from_iterable(stretch.entries for stretch in stretches), reverse=True):
        if place_of(entry) < complete_from:
            break
        if not entries or place_of(entries[-1]) != place_of(entry):
            entries.append(entry)
    return Stretch(entries, complete_from)


def newest(stretch: Stretch, count: int) -> Stretch:
    """The first `count` entries of a stretch."""
    if len(stretch.entries) <= count:
        return stretch
    entries = stretch.entries[:count]
    return Stretch(entries, place_of(entries[-1]))


def behind(stretch: Stretch, before: Place) -> Stretch:
    """The part of a stretch that is strictly older than a place."""
    entries = stretch.entries
    if entries and place_of(entries[0]) >= before:
        entries = [entry for entry in entries if place_of(entry) < before]
    return Stretch(entries, min(stretch.complete_from, before))


def continued(upper: Stretch, lower: Stretch) -> Stretch:
    """A stretch and the one that was read behind it."""
    return Stretch([*upper.entries, *lower.entries], lower.complete_from)


def known_below(upper: Stretch, found: Iterable[TimelineEntry], count: int) -> list[TimelineEntry]:
    """The first `count` of what is known below a stretch, in order; what is not known yet may lie between."""
    places = {place_of(entry): entry for entry in found if place_of(entry) < upper.complete_from}
    return [places[place] for place in sorted(places, reverse=True)[:count]]


def low_mark_of(stretch: Stretch) -> int:
    """The mark of a timeline that holds this stretch: entries after it are all there."""
    return stretch.complete_from[0]


def floor_of(entries: Iterable[TimelineEntry], count: int) -> Place:
    """The place of the `count`-th newest entry: with so many entries known, nothing below it is wanted."""
    places = sorted((place_of(entry) for entry in entries), reverse=True)
    return places[count - 1] if len(places) >= count else BEGINNING
