"""What is between a viewer and another account, as the viewer's side of their pair's row, small enough to cache.

In a cache a relation is one decimal number of seven bits, so that a page decodes forty of them by looking them up.
"""

import msgspec

from photolog.ids import slot_of
from projections.graph import PAIRS, PairRow, side_of
from projections.pairs import FollowStatus, Side
from projections.stores.port import CacheWrite
from projections.tables import RowKey

_ACTIVE, _PENDING, _FOLLOWED, _ASKED, _BLOCKS, _BLOCKED, _MUTES = (1 << bit for bit in range(7))


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """One account's view of another. Whether the other mutes the viewer is not part of it: nobody may tell."""

    follows: FollowStatus = "none"
    followed_by: FollowStatus = "none"
    blocks: bool = False
    blocked_by: bool = False
    mutes: bool = False


NO_RELATION = Relation()


def relation_of(viewer_id: int, pair: PairRow | None) -> Relation:
    """The viewer's side of a pair; `pair` is None where nothing ever happened between the two."""
    return NO_RELATION if pair is None else _RELATIONS[_bits(*_sides(pair, viewer_id))]


def pair_with(one_id: int, other_id: int) -> RowKey[PairRow]:
    """The row that holds everything between two accounts."""
    return PAIRS.key(min(one_id, other_id), max(one_id, other_id))


def relations_key(viewer_id: int) -> str:
    """The cache entry that holds a viewer's relations: one field for each other account, named by its id."""
    return f"relations:{{{slot_of(viewer_id)}}}:{viewer_id}"


def parse_relation(value: bytes | None) -> Relation:
    """A relation from its cached form; None (known to be absent) is no relation. Raises KeyError for any other."""
    return NO_RELATION if value is None else _BY_FORM[value]


def relation_writes(low_id: int, high_id: int, pair: PairRow | None, offset: int) -> tuple[CacheWrite, CacheWrite]:
    """Both directions of a pair for the caches.

    Args:
        low_id: the lower account of the pair.
        high_id: the higher one.
        pair: its row, None where there is none.
        offset: the record that last wrote it, -1 where nothing did.
    """
    return _write(low_id, high_id, pair, offset), _write(high_id, low_id, pair, offset)


def _write(viewer_id: int, other_id: int, pair: PairRow | None, offset: int) -> CacheWrite:
    value = None if pair is None else b"%d" % _bits(*_sides(pair, viewer_id))
    return CacheWrite(relations_key(viewer_id), str(other_id), offset, value)


def _sides(pair: PairRow, viewer_id: int) -> tuple[Side, Side]:
    other_id = pair.high_id if viewer_id == pair.low_id else pair.low_id
    return side_of(pair, viewer_id), side_of(pair, other_id)


def _bits(own: Side, other: Side) -> int:
    follows = {"active": _ACTIVE, "pending": _PENDING, "none": 0}[own.follows]
    followed_by = {"active": _FOLLOWED, "pending": _ASKED, "none": 0}[other.follows]
    return follows | followed_by | _BLOCKS * own.blocks | _BLOCKED * other.blocks | _MUTES * own.mutes


def _from_bits(bits: int) -> Relation:
    return Relation(
        follows="active" if bits & _ACTIVE else "pending" if bits & _PENDING else "none",
        followed_by="active" if bits & _FOLLOWED else "pending" if bits & _ASKED else "none",
        blocks=bool(bits & _BLOCKS),
        blocked_by=bool(bits & _BLOCKED),
        mutes=bool(bits & _MUTES),
    )


_RELATIONS = tuple(_from_bits(bits) for bits in range(1 << 7))
_BY_FORM = {b"%d" % bits: relation for bits, relation in enumerate(_RELATIONS)}
