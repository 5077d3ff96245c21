"""The graph: who follows, requests, blocks and mutes whom. The pair of two accounts decides; the lists mirror it."""

from collections.abc import Mapping, Sequence
from typing import Literal

from photolog.ids import SLOTS, slot_of
from projections.fold import Recorded, Rows, unfoldable
from projections.follower_heads import FOLLOWER_HEADS, FollowerHeadRow, head_after
from projections.pairs import FollowStatus, GraphEvent, Side, actor_and_other, decide
from projections.tables import Row, RowKey, Table
from projections.writes import Put, Remove, Write, put
from schemas import events as e
from schemas import topics

Counter = Literal["followers", "following", "requests"]
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
    counter: Counter
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


def side_of(pair: PairRow, account_id: int) -> Side:
    """The side of one of the pair's two accounts."""
    if account_id == pair.low_id:
        return Side(
            follows=pair.low_follows,
            follows_since_ms=pair.low_follows_since_ms,
            blocks=pair.low_blocks,
            blocks_since_ms=pair.low_blocks_since_ms,
            mutes=pair.low_mutes,
            mutes_since_ms=pair.low_mutes_since_ms,
        )
    return Side(
        follows=pair.high_follows,
        follows_since_ms=pair.high_follows_since_ms,
        blocks=pair.high_blocks,
        blocks_since_ms=pair.high_blocks_since_ms,
        mutes=pair.high_mutes,
        mutes_since_ms=pair.high_mutes_since_ms,
    )


class GraphProjection:
    """Folds the graph. Each event changes a pair's two sides; the lists and counts are what the sides stand for."""

    name = "graph"
    topics = (topics.GRAPH,)

    def aggregate(self, recorded: Recorded) -> RowKey[PairRow]:
        """The pair."""
        return PAIRS.key(*sorted(actor_and_other(_graph_event(recorded))))

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """The counts and heads that the event may change, as far as its partition contributes to them."""
        event = _graph_event(recorded)
        actor_id, other_id = actor_and_other(event)
        match event:
            case e.AccountMuted() | e.AccountUnmuted() | e.AccountUnblocked():
                return ()
            case e.AccountBlocked():
                counted = (*_counted(actor_id, other_id, Side()), *_counted(other_id, actor_id, Side()))
            case _:
                counted = tuple(_counted(actor_id, other_id, Side()))
        counts = [GRAPH_COUNTS.key(account_id, counter, recorded.partition) for account_id, counter in counted]
        followees = [account_id for account_id, counter in counted if counter == "followers"]
        return (*counts, *(FOLLOWER_HEADS.key(followee_id, recorded.partition) for followee_id in followees))

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """Decide on the pair, then bring its lists and counts after it."""
        event = _graph_event(recorded)
        actor_id, other_id = actor_and_other(event)
        key = self.aggregate(recorded)
        before = rows.get(key) or PairRow(low_id=key.values[0], high_id=key.values[1])
        own, other = side_of(before, actor_id), side_of(before, other_id)
        own_after, other_after = decide(own, other, event, recorded.timestamp_ms)
        if actor_id == other_id or (own, other) == (own_after, other_after):
            return ()
        return (
            *_mirror(rows, recorded.partition, actor_id, other_id, own, own_after),
            *_mirror(rows, recorded.partition, other_id, actor_id, other, other_after),
            put(PAIRS, _pair(actor_id, other_id, own_after, other_after)),
        )


def _graph_event(recorded: Recorded) -> GraphEvent:
    if isinstance(recorded.event, GraphEvent):
        return recorded.event
    raise unfoldable(GraphProjection.name, recorded.event)


def _pair(one_id: int, other_id: int, one: Side, other: Side) -> PairRow:
    (low_id, low), (high_id, high) = sorted(((one_id, one), (other_id, other)), key=lambda part: part[0])
    return PairRow(
        low_id=low_id,
        high_id=high_id,
        low_follows=low.follows,
        high_follows=high.follows,
        low_follows_since_ms=low.follows_since_ms,
        high_follows_since_ms=high.follows_since_ms,
        low_blocks=low.blocks,
        high_blocks=high.blocks,
        low_blocks_since_ms=low.blocks_since_ms,
        high_blocks_since_ms=high.blocks_since_ms,
        low_mutes=low.mutes,
        high_mutes=high.mutes,
        low_mutes_since_ms=low.mutes_since_ms,
        high_mutes_since_ms=high.mutes_since_ms,
    )


def _mirror(rows: Rows, source: int, actor_id: int, other_id: int, before: Side, after: Side) -> list[Write]:
    """The list rows, counts and heads in which one side differs from what it was."""
    listed, wanted = _listed(actor_id, other_id, before), _listed(actor_id, other_id, after)
    writes: list[Write] = [Remove(key) for key in listed if key not in wanted]
    writes += [change for key, change in wanted.items() if listed.get(key) != change]
    writes += _head(rows, source, actor_id, other_id, before, after)
    counted = _counted(actor_id, other_id, before)
    for (account_id, counter), count in _counted(actor_id, other_id, after).items():
        change = count - counted[account_id, counter]
        if change:
            row = rows.get(GRAPH_COUNTS.key(account_id, counter, source))
            total = (row.count if row else 0) + change
            writes.append(
                put(GRAPH_COUNTS, GraphCountRow(account_id=account_id, counter=counter, source=source, count=total))
            )
    return writes


def _head(rows: Rows, source: int, actor_id: int, other_id: int, before: Side, after: Side) -> list[Write]:
    """The head of the other's followers, where a follow begins or ends."""
    follows = after.follows == "active"
    if follows == (before.follows == "active"):
        return []
    empty = FollowerHeadRow(followee_id=other_id, source=source, overflowed=False, follower_ids=[])
    head = rows.get(FOLLOWER_HEADS.key(other_id, source)) or empty
    changed = head_after(head, actor_id, follows)
    return [] if changed == head else [put(FOLLOWER_HEADS, changed)]


def _listed(actor_id: int, other_id: int, side: Side) -> Mapping[RowKey[Row], Put]:
    """The list rows that a side stands for."""
    changes = []
    since_ms = side.follows_since_ms
    if side.follows == "active":
        shard, slot = follower_place(actor_id)
        changes += [
            put(FOLLOWINGS, FollowingRow(follower_id=actor_id, since_ms=since_ms, followee_id=other_id)),
            put(
                FOLLOWERS,
                FollowerRow(followee_id=other_id, shard=shard, slot=slot, follower_id=actor_id, since_ms=since_ms),
            ),
        ]
    if side.follows == "pending":
        changes += [
            put(FOLLOW_REQUESTS, FollowRequestRow(followee_id=other_id, since_ms=since_ms, follower_id=actor_id)),
            put(SENT_REQUESTS, SentRequestRow(follower_id=actor_id, since_ms=since_ms, followee_id=other_id)),
        ]
    if side.blocks:
        changes.append(put(BLOCKS, BlockRow(blocker_id=actor_id, since_ms=side.blocks_since_ms, blocked_id=other_id)))
    if side.mutes:
        changes.append(put(MUTES, MuteRow(muter_id=actor_id, since_ms=side.mutes_since_ms, muted_id=other_id)))
    return {change.key: change for change in changes}


def _counted(actor_id: int, other_id: int, side: Side) -> Mapping[tuple[int, Counter], int]:
    """What a side adds to each count."""
    active = int(side.follows == "active")
    return {
        (actor_id, "following"): active,
        (other_id, "followers"): active,
        (other_id, "requests"): int(side.follows == "pending"),
    }


GRAPH_PROJECTION = GraphProjection()
