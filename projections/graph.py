"""The graph: who follows, requests, blocks and mutes whom. The pair of two accounts decides; the lists mirror it."""

from typing import Literal

from photolog.ids import SLOTS, slot_of
from projections.tables import Row, Table

FollowStatus = Literal["none", "pending", "active"]
FOLLOWER_SHARDS = 16


class PairRow(Row, frozen=True, kw_only=True):
    """Everything between two accounts, `low_id` < `high_id`. `low_*` is what the lower account does to the higher."""

    low_id: int
    high_id: int
    low_follows: FollowStatus = "none"
    high_follows: FollowStatus = "none"
    low_follows_since_ms: int = 0
    high_follows_since_ms: int = 0
    low_blocks: bool = False
    high_blocks: bool = False
    low_blocks_since_ms: int = 0
    high_blocks_since_ms: int = 0
    low_mutes: bool = False
    high_mutes: bool = False
    low_mutes_since_ms: int = 0
    high_mutes_since_ms: int = 0


class FollowingRow(Row, frozen=True, kw_only=True):
    """An active following, listed under the follower, newest first."""

    follower_id: int
    since_ms: int
    followee_id: int


class FollowerRow(Row, frozen=True, kw_only=True):
    """The same following, listed under the followee; shards keep a celebrity from being one partition."""

    followee_id: int
    shard: int
    slot: int
    follower_id: int
    since_ms: int


class FollowRequestRow(Row, frozen=True, kw_only=True):
    """A pending request, listed under the account that may approve it."""

    followee_id: int
    since_ms: int
    follower_id: int


class SentRequestRow(Row, frozen=True, kw_only=True):
    """The same request, listed under the account that made it."""

    follower_id: int
    since_ms: int
    followee_id: int


class BlockRow(Row, frozen=True, kw_only=True):
    """A block, listed under the account that made it."""

    blocker_id: int
    since_ms: int
    blocked_id: int


class MuteRow(Row, frozen=True, kw_only=True):
    """A mute, listed under the account that made it."""

    muter_id: int
    since_ms: int
    muted_id: int


class GraphCountRow(Row, frozen=True, kw_only=True):
    """The part of a count that one partition of the graph topic contributes; a reader sums over `source`."""

    account_id: int
    counter: Literal["followers", "following", "requests"]
    source: int
    count: int


PAIRS = Table("pairs", PairRow, ("low_id", "high_id"), aggregate=True)
FOLLOWINGS = Table("followings", FollowingRow, ("follower_id",), ("-since_ms", "followee_id"))
FOLLOWERS = Table("followers", FollowerRow, ("followee_id", "shard"), ("slot", "follower_id"))
FOLLOW_REQUESTS = Table("follow_requests", FollowRequestRow, ("followee_id",), ("-since_ms", "follower_id"))
SENT_REQUESTS = Table("sent_requests", SentRequestRow, ("follower_id",), ("-since_ms", "followee_id"))
BLOCKS = Table("blocks", BlockRow, ("blocker_id",), ("-since_ms", "blocked_id"))
MUTES = Table("mutes", MuteRow, ("muter_id",), ("-since_ms", "muted_id"))
GRAPH_COUNTS = Table("graph_counts", GraphCountRow, ("account_id",), ("counter", "source"))


def follower_place(follower_id: int) -> tuple[int, int]:
    """The (shard, slot) of a follower in anyone's list of followers."""
    slot = slot_of(follower_id)
    return slot * FOLLOWER_SHARDS // SLOTS, slot
