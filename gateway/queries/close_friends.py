"""The viewer's close friends, the last added first."""

from gateway.asked_page import asked_page
from gateway.endpoint import Answer, Call, Endpoint, ListQuery
from gateway.pages import Listing
from gateway.queries.graph import AccountPage, ListedAccount, listed_accounts
from gateway.services import Services
from projections.close_friends import CLOSE_FRIENDS_LIST, ListedCloseFriendRow


async def close_friends(services: Services, call: Call) -> Answer:
    """Those of them whom the viewer may see now."""
    listing: Listing[ListedCloseFriendRow, ListedAccount] = Listing(
        lambda after, limit: services.rows.scan(CLOSE_FRIENDS_LIST, (call.viewer,), after=after, limit=limit),
        lambda row: (row.since_ms, row.friend_id),
        lambda rows: listed_accounts(services, call.viewer, [row.friend_id for row in rows]),
    )
    items, cursor = await asked_page(services, call, f"close_friends:{call.viewer}", listing)
    return Answer(AccountPage(items=items, next_cursor=cursor))


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
