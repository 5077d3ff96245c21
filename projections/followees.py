"""Whom an account follows, in the form in which a cache keeps it.

An entry `following:{slot}:id` has a field for each of the newest followees, which holds since when, or that they are
not followed any more; and the field `floor`, which says how far down the list is complete. A field carries the offset
of the row it came from, so that neither a job nor a reader that filled the entry can undo what the other wrote later.

It only spares a scan: whether one account follows another now is asked of their pair, always.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from photolog.ids import slot_of
from projections.stores.port import CacheWrite

FOLLOWEES_KEPT = 999  # with the floor as many fields as one call to the cache writes at once
_FLOOR = "floor"
Place = tuple[int, int]
"""(since_ms, followee_id): where a following stands in the list, the newest first."""


@dataclass(frozen=True, slots=True)
class Followees:
    """A cached list.

    Args:
        ids: followees, the newest first.
        floor: the place down to which, itself included, the list is complete; None where that is its end.
    """

    ids: Sequence[int]
    floor: Place | None


def followees_key(account_id: int) -> str:
    """The cache entry of whom an account follows."""
    return f"following:{{{slot_of(account_id)}}}:{account_id}"


def followee_write(follower_id: int, followee_id: int, since_ms: int | None, offset: int) -> CacheWrite:
    """One followee; `since_ms` is None where they are not followed."""
    value = None if since_ms is None else b"%d" % since_ms
    return CacheWrite(followees_key(follower_id), str(followee_id), offset, value)


def floor_write(account_id: int, floor: Place | None) -> CacheWrite:
    """How far down the list is complete. Once said it stays: what is newer is written as it happens."""
    return CacheWrite(followees_key(account_id), _FLOOR, 0, b"" if floor is None else b"%d/%d" % floor)


def parse_followees(fields: Mapping[str, bytes | None]) -> Followees | None:
    """The list that an entry holds; None where it does not say how far down it is complete."""
    floor = fields.get(_FLOOR)
    if floor is None:
        return None
    listed = sorted(_places(fields), key=lambda place: (-place[0], place[1]))
    return Followees([followee_id for _, followee_id in listed], _place(floor))


def _places(fields: Mapping[str, bytes | None]) -> Iterable[Place]:
    for name, since_ms in fields.items():
        if name != _FLOOR and since_ms is not None:
            yield int(since_ms), int(name)


def _place(floor: bytes) -> Place | None:
    if not floor:
        return None
    since_ms, _, followee_id = floor.partition(b"/")
    return int(since_ms), int(followee_id)
