"""Few followers lie in one place; many lie in the shards alone, for good."""

from projections.follower_heads import FOLLOWER_HEADS, HEAD_FOLLOWERS_MAX, FollowerHeadRow, followers_in
from projections.graph import GRAPH_PROJECTION
from schemas import events as e
from tests.unit.projections.folding import Folding

ANNA = 11
MANY = range(100, 101 + HEAD_FOLLOWERS_MAX)


def follow(follower_id: int) -> e.Event:
    return e.FollowCreated(follower_id=follower_id, followee_id=ANNA, wanted_status="active")


def heads(*events: e.Event) -> list[FollowerHeadRow]:
    return Folding(GRAPH_PROJECTION).apply(*events).rows(FOLLOWER_HEADS, ANNA)


def head(source: int, *follower_ids: int, overflowed: bool = False) -> FollowerHeadRow:
    return FollowerHeadRow(followee_id=ANNA, source=source, overflowed=overflowed, follower_ids=list(follower_ids))


def test_followers_are_listed_while_they_follow() -> None:
    assert heads(follow(3), follow(1), follow(2), follow(3)) == [head(2, 1, 2, 3)]
    assert heads(follow(3), follow(1), e.FollowDeleted(follower_id=3, followee_id=ANNA)) == [head(2, 1)]
    assert heads(follow(3), e.FollowerRemoved(follower_id=3, followee_id=ANNA)) == [head(2)]


def test_a_request_is_listed_once_it_is_approved() -> None:
    asked = e.FollowCreated(follower_id=3, followee_id=ANNA, wanted_status="pending")
    assert heads(asked) == []
    assert heads(asked, e.FollowApproved(follower_id=3, followee_id=ANNA)) == [head(2, 3)]


def test_a_block_ends_a_follow_in_either_direction() -> None:
    assert heads(follow(3), e.AccountBlocked(blocker_id=ANNA, blocked_id=3)) == [head(2)]
    assert heads(follow(3), e.AccountBlocked(blocker_id=3, blocked_id=ANNA)) == [head(2)]
    assert heads(e.AccountBlocked(blocker_id=3, blocked_id=ANNA), follow(3)) == []


def test_too_many_followers_give_the_list_up_for_good() -> None:
    followed = [follow(follower_id) for follower_id in MANY]
    left = [e.FollowDeleted(follower_id=follower_id, followee_id=ANNA) for follower_id in MANY]
    assert heads(*followed[:-1]) == [head(2, *MANY[:-1])]
    assert heads(*followed) == heads(*followed, *left, follow(1)) == [head(2, overflowed=True)]


def test_all_heads_together_are_the_followers_unless_one_overflowed() -> None:
    assert followers_in([]) == ()
    assert followers_in([head(0, 1, 2), head(1, 2, 3)]) == (1, 2, 3)
    assert followers_in([head(0, 1, 2), head(1, overflowed=True)]) is None
