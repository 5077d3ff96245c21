"""The graph: the pair decides, lists and counts mirror it."""

from typing import Literal

import pytest

from photolog.ids import SLOTS
from projections.graph import (
    BLOCKS,
    FOLLOW_REQUESTS,
    FOLLOWER_SHARDS,
    FOLLOWERS,
    FOLLOWINGS,
    GRAPH_COUNTS,
    GRAPH_PROJECTION,
    MUTES,
    PAIRS,
    SENT_REQUESTS,
    follower_place,
    side_of,
)
from projections.pairs import Side
from schemas import events as e
from tests.unit.projections.folding import START_MS, Folding

ANNA, OTTO = 11, 12


def follows(wanted: Literal["active", "pending"] = "active", by: int = ANNA, whom: int = OTTO) -> e.Event:
    return e.FollowCreated(follower_id=by, followee_id=whom, wanted_status=wanted)


REQUESTS = follows("pending")
UNFOLLOWS = e.FollowDeleted(follower_id=ANNA, followee_id=OTTO)
IS_APPROVED = e.FollowApproved(follower_id=ANNA, followee_id=OTTO)
IS_DENIED = e.FollowDenied(follower_id=ANNA, followee_id=OTTO)
IS_REMOVED = e.FollowerRemoved(follower_id=ANNA, followee_id=OTTO)
BLOCKS_OTTO = e.AccountBlocked(blocker_id=ANNA, blocked_id=OTTO)
UNBLOCKS_OTTO = e.AccountUnblocked(blocker_id=ANNA, blocked_id=OTTO)
IS_BLOCKED = e.AccountBlocked(blocker_id=OTTO, blocked_id=ANNA)
IS_UNBLOCKED = e.AccountUnblocked(blocker_id=OTTO, blocked_id=ANNA)
MUTES_OTTO = e.AccountMuted(muter_id=ANNA, muted_id=OTTO)
UNMUTES_OTTO = e.AccountUnmuted(muter_id=ANNA, muted_id=OTTO)


def after(*events: e.Event) -> Folding:
    return Folding(GRAPH_PROJECTION).apply(*events)


def side(folding: Folding, account_id: int = ANNA) -> Side:
    pair = folding.row(PAIRS.key(ANNA, OTTO))
    return side_of(pair, account_id) if pair else Side()


def lists(folding: Folding, follower_id: int = ANNA, followee_id: int = OTTO) -> dict[str, list[int]]:
    """Since when (ms after the start) the follower stands in each list that can hold the edge."""
    shard, slot = follower_place(follower_id)
    followers = [row.since_ms for row in folding.rows(FOLLOWERS, followee_id, shard) if row.slot == slot]
    return {
        "followings": [row.since_ms - START_MS for row in folding.rows(FOLLOWINGS, follower_id)],
        "followers": [since_ms - START_MS for since_ms in followers],
        "requests": [row.since_ms - START_MS for row in folding.rows(FOLLOW_REQUESTS, followee_id)],
        "sent": [row.since_ms - START_MS for row in folding.rows(SENT_REQUESTS, follower_id)],
    }


def counts(folding: Folding) -> dict[tuple[int, str], int]:
    """The counts of both that are not zero."""
    rows = [row for account_id in (ANNA, OTTO) for row in folding.rows(GRAPH_COUNTS, account_id)]
    return {(row.account_id, row.counter): row.count for row in rows if row.count}


ACTIVE = {(ANNA, "following"): 1, (OTTO, "followers"): 1}
PENDING = {(OTTO, "requests"): 1}
NOWHERE: dict[str, list[int]] = {"followings": [], "followers": [], "requests": [], "sent": []}


def test_a_follow_stands_in_both_lists_and_both_counts() -> None:
    folding = after(follows())
    assert lists(folding) == NOWHERE | {"followings": [0], "followers": [0]}
    assert counts(folding) == ACTIVE
    assert side(folding) == Side(follows="active", follows_since_ms=START_MS)


def test_a_request_waits_in_both_lists_and_one_count() -> None:
    folding = after(REQUESTS)
    assert lists(folding) == NOWHERE | {"requests": [0], "sent": [0]}
    assert counts(folding) == PENDING


def test_an_approved_request_becomes_a_follow_from_then_on() -> None:
    folding = after(REQUESTS, IS_APPROVED)
    assert lists(folding) == NOWHERE | {"followings": [1_000], "followers": [1_000]}
    assert counts(folding) == ACTIVE


def test_a_request_becomes_a_follow_when_asked_again_of_a_public_account() -> None:
    folding = after(REQUESTS, follows("active"))
    assert lists(folding) == NOWHERE | {"followings": [1_000], "followers": [1_000]}
    assert counts(folding) == ACTIVE


def test_a_request_never_weakens_a_follow() -> None:
    folding = after(follows(), REQUESTS, IS_DENIED)
    assert lists(folding) == NOWHERE | {"followings": [0], "followers": [0]}
    assert counts(folding) == ACTIVE


def test_following_again_keeps_the_first_time() -> None:
    assert lists(after(follows(), follows()))["followings"] == [0]
    assert lists(after(REQUESTS, REQUESTS))["sent"] == [0]


@pytest.mark.parametrize("ending", [UNFOLLOWS, IS_REMOVED, BLOCKS_OTTO, IS_BLOCKED], ids=lambda event: event.type)
def test_a_follow_ends_everywhere(ending: e.Event) -> None:
    folding = after(follows(), ending)
    assert lists(folding) == NOWHERE
    assert counts(folding) == {}


@pytest.mark.parametrize("ending", [UNFOLLOWS, IS_DENIED, BLOCKS_OTTO, IS_BLOCKED], ids=lambda event: event.type)
def test_a_request_ends_everywhere(ending: e.Event) -> None:
    folding = after(REQUESTS, ending)
    assert lists(folding) == NOWHERE
    assert counts(folding) == {}


@pytest.mark.parametrize("event", [IS_APPROVED, IS_DENIED], ids=lambda event: event.type)
def test_only_a_request_can_be_answered(event: e.Event) -> None:
    assert counts(after(event)) == {}
    assert counts(after(follows(), event)) == ACTIVE
    assert lists(after(follows(), event))["followings"] == [0]
    assert counts(after(REQUESTS, UNFOLLOWS, event)) == {}


def test_removing_a_follower_leaves_a_request_alone() -> None:
    assert counts(after(REQUESTS, IS_REMOVED)) == PENDING


def test_each_direction_stands_for_itself() -> None:
    folding = after(follows(), follows("pending", by=OTTO, whom=ANNA), UNFOLLOWS)
    assert lists(folding, OTTO, ANNA) == NOWHERE | {"requests": [1_000], "sent": [1_000]}
    assert counts(folding) == {(ANNA, "requests"): 1}


@pytest.mark.parametrize("block", [BLOCKS_OTTO, IS_BLOCKED], ids=["by the one", "by the other"])
def test_a_block_ends_edges_and_requests_in_both_directions(block: e.Event) -> None:
    folding = after(follows(), follows("pending", by=OTTO, whom=ANNA), block)
    assert lists(folding) == lists(folding, OTTO, ANNA) == NOWHERE
    assert counts(folding) == {}


@pytest.mark.parametrize("block", [BLOCKS_OTTO, IS_BLOCKED], ids=["by the one", "by the other"])
@pytest.mark.parametrize("wanted", ["active", "pending"])
def test_a_block_in_either_direction_prevents_new_follows(block: e.Event, wanted: Literal["active", "pending"]) -> None:
    folding = after(block, follows(wanted), follows(wanted, by=OTTO, whom=ANNA))
    assert lists(folding) == lists(folding, OTTO, ANNA) == NOWHERE
    assert counts(folding) == {}


def test_unblocking_restores_nothing_and_permits_new_follows() -> None:
    assert counts(after(follows(), BLOCKS_OTTO, UNBLOCKS_OTTO)) == {}
    assert counts(after(follows(), BLOCKS_OTTO, UNBLOCKS_OTTO, follows())) == ACTIVE


def test_two_blocks_are_independent() -> None:
    both = after(BLOCKS_OTTO, IS_BLOCKED, UNBLOCKS_OTTO, follows())
    assert counts(both) == {}
    assert [row.blocker_id for row in both.rows(BLOCKS, OTTO)] == [OTTO]
    assert both.rows(BLOCKS, ANNA) == []
    assert counts(both.apply(IS_UNBLOCKED, follows())) == ACTIVE


def test_a_block_is_listed_since_the_first_time_under_its_maker_only() -> None:
    folding = after(BLOCKS_OTTO, BLOCKS_OTTO)
    assert [(row.blocked_id, row.since_ms) for row in folding.rows(BLOCKS, ANNA)] == [(OTTO, START_MS)]
    assert folding.rows(BLOCKS, OTTO) == []


def test_a_mute_touches_nothing_else() -> None:
    folding = after(follows(), MUTES_OTTO)
    assert [(row.muted_id, row.since_ms) for row in folding.rows(MUTES, ANNA)] == [(OTTO, START_MS + 1_000)]
    assert counts(folding) == ACTIVE
    assert side(folding, OTTO) == Side()
    assert after(follows(), MUTES_OTTO, UNMUTES_OTTO).rows(MUTES, ANNA) == []


def test_a_mute_outlives_unfollow_and_block() -> None:
    folding = after(MUTES_OTTO, follows(), UNFOLLOWS, BLOCKS_OTTO, UNBLOCKS_OTTO)
    assert [row.muted_id for row in folding.rows(MUTES, ANNA)] == [OTTO]


def test_nobody_is_paired_with_themselves() -> None:
    folding = after(follows(by=ANNA, whom=ANNA), e.AccountBlocked(blocker_id=ANNA, blocked_id=ANNA))
    assert folding.row(PAIRS.key(ANNA, ANNA)) is None
    assert folding.rows(FOLLOWINGS, ANNA) == []
    assert folding.rows(BLOCKS, ANNA) == []


def test_every_slot_lies_in_one_shard_and_shards_share_the_slots_evenly() -> None:
    places = {follower_place(account_id << 21) for account_id in range(50_000)}
    assert {shard for shard, _ in places} == set(range(FOLLOWER_SHARDS))
    assert len(places) == SLOTS
    for shard in range(FOLLOWER_SHARDS):
        assert len([1 for place in places if place[0] == shard]) == SLOTS // FOLLOWER_SHARDS
