"""The page of a list that a request asks for: where it goes on, how long it is, and the cursor of the next one."""

from typing import TypeVar

from gateway.endpoint import PAGE_MAX, Call, ListQuery
from gateway.pages import Listing, page
from gateway.services import Services
from projections.tables import R

T = TypeVar("T")


async def asked_page(
    services: Services, call: Call, kind: str, listing: Listing[R, T], most: int = PAGE_MAX
) -> tuple[list[T], str | None]:
    """The items of the page, and the cursor to go on with; None at the end of the list.

    Args:
        services: whose key the cursors are under.
        call: a call with the query of a list.
        kind: tells the list from every other one, so that its cursors open no other.
        listing: the list.
        most: items of a page, of a list whose items cost much, where more are asked for.

    Raises:
        Invalid: the cursor is none of this list's.
    """
    query: ListQuery = call.query
    after = services.cursors.decode(kind, query.cursor) if query.cursor else None
    items, mark = await page(listing, after, min(query.limit, most))
    return items, services.cursors.encode(kind, mark) if mark else None
