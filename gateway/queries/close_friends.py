"""The viewer's close friends, the last added first."""

from gateway.endpoint import Answer, Call, Endpoint, ListQuery
from gateway.pages import Listing, page
from gateway.queries.graph import AccountPage, ListedAccount, listed_accounts
from gateway.services import Services
from projections.close_friends import CLOSE_FRIENDS_LIST, ListedCloseFriendRow


async def close_friends(services: Services, call: Call) -> Answer:
    """Those of them whom the viewer may see now."""
    query: ListQuery = call.query
    kind = f"close_friends:{call.viewer}"
    listing: Listing[ListedCloseFriendRow, ListedAccount] = Listing(
        lambda after, limit: services.rows.scan(CLOSE_FRIENDS_LIST, (call.viewer,), after=after, limit=limit),
        lambda row: (row.since_ms, row.friend_id),
        lambda rows: listed_accounts(services, call.viewer, [row.friend_id for row in rows]),
    )
    after = services.cursors.decode(kind, query.cursor) if query.cursor else None
    items, mark = await page(listing, after, query.limit)
    return Answer(AccountPage(items=items, next_cursor=services.cursors.encode(kind, mark) if mark else None))


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/v1/me/close-friends",
        close_friends,
        "Your close friends",
        "stories",
        query=ListQuery,
        response=AccountPage,
        models=("accounts", "graph", "close_friends"),
    ),
)
