"""Pages of lists whose rows are not all to be shown: read on until the page is full, within a bound."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from projections.tables import KeyTuple, R

T = TypeVar("T")
ROUNDS_MAX = 8


@dataclass(frozen=True, slots=True)
class Listing(Generic[R, T]):
    """A list as a page sees it.

    Args:
        read: rows strictly behind a mark, at most so many.
        mark: a row's place in the list.
        show: for each row what is shown of it, None for what the viewer may not see.
        stride: rows read at once at least, for lists of which little is shown.
    """

    read: Callable[[KeyTuple | None, int], Awaitable[Sequence[R]]]
    mark: Callable[[R], KeyTuple]
    show: Callable[[Sequence[R]], Awaitable[Sequence[T | None]]]
    stride: int = 0


async def page(listing: Listing[R, T], after: KeyTuple | None, limit: int) -> tuple[list[T], KeyTuple | None]:
    """The next page.

    Args:
        listing: the list.
        after: the mark that the page before ended at.
        limit: items on a full page.

    Returns:
        The items, and the mark at which to go on; None at the end of the list. A page is short, with a mark,
        where `ROUNDS_MAX` reads did not fill it.
    """
    items: list[T] = []
    for _ in range(ROUNDS_MAX):
        wanted = max(limit - len(items), listing.stride)
        rows = list(await listing.read(after, wanted + 1))
        more, rows = len(rows) > wanted, rows[:wanted]
        shown = list(await listing.show(rows))
        for place, (row, item) in enumerate(zip(rows, shown, strict=True), start=1):
            after = listing.mark(row)
            if item is not None:
                items.append(item)
            if len(items) == limit:
                # What is hidden behind it is no reason to go on, nor a thing to be told of.
                left = any(one is not None for one in shown[place:])
                return items, after if more or left else None
        if not more:
            return items, None
    return items, after
