"""Which projection each field of the caches is made from, and what the field of a generation is called.

An entry may hold fields of several projections, as a post's does. So a generation has fields of its own in the same
entries: what one generation says is never taken for what another does, and a swap leaves everything else warm.
"""

from functools import lru_cache

from projections.cards import CARD, SUMS, TOP
from projections.generations import FIRST, Selection

_MARK = "~"
_WHOLE: dict[str, str] = {
    "account": "accounts",
    "likes": "likes",
    "saves": "saves",
    "story": "stories",
    "user_stories": "stories",
    "story_views": "story_views",
    "close": "close_friends",
    "relations": "graph",
    "trends": "trending",
    "barred": "barred_hashtags",
    "following": "graph",
}
"""Entries of one projection, by the first part of their key."""
_OF_POST: dict[str, str] = {CARD: "posts", TOP: "comments", **{name: name for name in SUMS}}


def owner_of(key: str, field: str) -> str | None:
    """The projection that a field is made from; None for what no projection makes."""
    kind = key.partition(":")[0]
    return _OF_POST.get(field.partition("/")[0]) if kind == "post" else _WHOLE.get(kind)


@lru_cache(maxsize=65_536)
def generation_field(field: str, number: int) -> str:
    """A field as it is called in a generation."""
    if number == FIRST:
        return field
    name, slash, part = field.partition("/")
    return f"{name}{_MARK}{number}{slash}{part}"


def plain_field(field: str) -> tuple[str, int]:
    """The field and the generation that a stored field's name tells; a name that tells none, such as a member of bytes,
    is its own."""
    name, slash, part = field.partition("/")
    plain, _, number = name.partition(_MARK)
    return (f"{plain}{slash}{part}", int(number)) if number.isdecimal() else (field, FIRST)


def selected_field(selection: Selection, key: str, field: str) -> str:
    """A field as it is called in the selected generation of its projection."""
    owner = owner_of(key, field)
    return field if owner is None else generation_field(field, selection.number(owner))
