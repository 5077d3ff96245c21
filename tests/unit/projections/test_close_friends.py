"""Close friends: membership and list."""

from projections.close_friends import CLOSE_FRIENDS, CLOSE_FRIENDS_LIST, CLOSE_FRIENDS_PROJECTION
from schemas import events as e
from tests.unit.projections.folding import Folding


def add(friend_id: int, owner_id: int = 1) -> e.Event:
    return e.CloseFriendAdded(owner_id=owner_id, friend_id=friend_id)


def remove(friend_id: int) -> e.Event:
    return e.CloseFriendRemoved(owner_id=1, friend_id=friend_id)


def listed(folding: Folding) -> list[int]:
    return [row.friend_id for row in folding.rows(CLOSE_FRIENDS_LIST, 1)]


def test_the_last_added_is_the_first_in_the_list() -> None:
    folding = Folding(CLOSE_FRIENDS_PROJECTION).apply(add(5), add(6), add(5), add(7, owner_id=2))
    assert listed(folding) == [6, 5]


def test_who_is_removed_is_in_neither() -> None:
    folding = Folding(CLOSE_FRIENDS_PROJECTION).apply(add(5), add(6), remove(5), remove(9))
    assert listed(folding) == [6]
    assert folding.row(CLOSE_FRIENDS.key(1, 5)) is None
    assert folding.row(CLOSE_FRIENDS.key(1, 6)) is not None
