"""Commands on the list of close friends: both may be repeated, and nobody but its owner learns of it."""

import msgspec

from gateway.endpoint import Call, Command, Endpoint
from gateway.services import Services
from gateway.visibility import see_account
from photolog.errors import Conflict, Invalid, NotFound
from projections.close_friends import CLOSE_FRIENDS, CLOSE_FRIENDS_LIST
from projections.stores.port import RowStore
from schemas.events import CloseFriendAdded, CloseFriendRemoved

FRIENDS_MAX = 1_000
# What gives sight of a story, or takes it, is answered when rows and caches have it.
_AT_ONCE = ("close_friends",)


class CloseFriend(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the account is among the viewer's close friends from now on."""

    account_id: str
    close_friend: bool


async def add(services: Services, call: Call) -> Command:
    """Count an account that the viewer may see among their close friends. It need not follow them; stories are shown
    to it only where their owner's posts are."""
    owner_id, friend_id = _two(call)
    await see_account(services.rows, owner_id, friend_id)
    if await services.rows.get(CLOSE_FRIENDS.key(owner_id, friend_id)) is None:
        await _limit_friends(services.rows, owner_id)
    event = CloseFriendAdded(owner_id=owner_id, friend_id=friend_id)
    return Command((event,), CloseFriend(account_id=str(friend_id), close_friend=True), wait_for=_AT_ONCE)


async def remove(services: Services, call: Call) -> Command:
    """Take an account from the list, also one that the viewer may not see any more."""
    owner_id, friend_id = _two(call)
    try:
        await see_account(services.rows, owner_id, friend_id)
    except NotFound:
        if await services.rows.get(CLOSE_FRIENDS.key(owner_id, friend_id)) is None:
            raise
    event = CloseFriendRemoved(owner_id=owner_id, friend_id=friend_id)
    return Command((event,), CloseFriend(account_id=str(friend_id), close_friend=False), wait_for=_AT_ONCE)


def _two(call: Call) -> tuple[int, int]:
    friend_id = call.id("account_id")
    if friend_id == call.viewer:
        raise Invalid("cannot-add-self", "nobody is a close friend of their own", "account_id")
    return call.viewer, friend_id


async def _limit_friends(rows: RowStore, owner_id: int) -> None:
    if len(await rows.scan(CLOSE_FRIENDS_LIST, (owner_id,), limit=FRIENDS_MAX)) >= FRIENDS_MAX:
        raise Conflict("too-many-close-friends", f"at most {FRIENDS_MAX:,} accounts are close friends")


_PATH = "/v1/me/close-friends/{account_id}"
_MODELS = ("accounts", "graph", "close_friends")
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("PUT", _PATH, add, "Count among your close friends", "stories", response=CloseFriend, models=_MODELS),
    Endpoint("DELETE", _PATH, remove, "Take from your close friends", "stories", response=CloseFriend, models=_MODELS),
)
