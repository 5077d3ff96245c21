"""Close friends: to whom an account shows the stories that are not for everyone."""

from collections.abc import Sequence

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put, remove
from schemas import events as e
from schemas import topics


class CloseFriendRow(Row, frozen=True, kw_only=True):
    """That an account counts another among its close friends; the row's presence is the membership."""

    owner_id: int
    friend_id: int
    since_ms: int


class ListedCloseFriendRow(Row, frozen=True, kw_only=True):
    """The same in the owner's list."""

    owner_id: int
    since_ms: int
    friend_id: int


CLOSE_FRIENDS = Table("close_friends", CloseFriendRow, ("owner_id", "friend_id"), aggregate=True)
CLOSE_FRIENDS_LIST = Table("close_friends_list", ListedCloseFriendRow, ("owner_id",), ("-since_ms", "-friend_id"))


class CloseFriendsProjection:
    """Folds close friends: the membership decides, the list follows it."""

    name = "close_friends"
    topics = (topics.CLOSE_FRIENDS,)

    def aggregate(self, recorded: Recorded) -> RowKey[CloseFriendRow]:
        """The membership of owner and friend; the owner's key places it."""
        match recorded.event:
            case e.CloseFriendAdded() | e.CloseFriendRemoved() as event:
                return CLOSE_FRIENDS.key(event.owner_id, event.friend_id)
            case other:
                raise unfoldable(self.name, other)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """Nothing else."""
        return ()

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """Adding who is there, or removing who is not, changes nothing."""
        key = self.aggregate(recorded)
        before = rows.get(key)
        match recorded.event:
            case e.CloseFriendAdded(owner_id=owner_id, friend_id=friend_id) if before is None:
                since_ms = recorded.timestamp_ms
                row = CloseFriendRow(owner_id=owner_id, friend_id=friend_id, since_ms=since_ms)
                listed = ListedCloseFriendRow(owner_id=owner_id, since_ms=since_ms, friend_id=friend_id)
                return put(CLOSE_FRIENDS_LIST, listed), put(CLOSE_FRIENDS, row)
            case e.CloseFriendRemoved() if before is not None:
                listed_key = CLOSE_FRIENDS_LIST.key(before.owner_id, before.since_ms, before.friend_id)
                return remove(listed_key), remove(key)
        return ()


CLOSE_FRIENDS_PROJECTION = CloseFriendsProjection()
