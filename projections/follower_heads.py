"""The followers of accounts that have few of them, in one partition, so that a fan-out to them is one small read.

Nearly every account has few followers, and its sixteen shards are nearly all empty. Each source partition of the graph
keeps a short list of the followers whose events it holds, and gives it up for good once it grows too long: from then
on the shards alone tell. A list may name somebody who no longer follows, where the topic grew and the end of the
follow came to another partition; it never lacks somebody who does.
"""

from collections.abc import Sequence

import msgspec

from projections.tables import Row, Table

HEAD_FOLLOWERS_MAX = 64


class FollowerHeadRow(Row, frozen=True, kw_only=True):
    """What one source partition knows of an account's followers, in the order of their ids; none once overflowed."""

    followee_id: int
    source: int
    overflowed: bool
    follower_ids: list[int]


FOLLOWER_HEADS = Table("follower_heads", FollowerHeadRow, ("followee_id",), ("source",))


def head_after(head: FollowerHeadRow, follower_id: int, follows: bool) -> FollowerHeadRow:
    """A head once somebody began to follow, or ceased to."""
    if head.overflowed:
        return head
    follower_ids = sorted({*head.follower_ids, follower_id} if follows else {*head.follower_ids} - {follower_id})
    if len(follower_ids) > HEAD_FOLLOWERS_MAX:
        return msgspec.structs.replace(head, overflowed=True, follower_ids=[])
    return msgspec.structs.replace(head, follower_ids=follower_ids)


def followers_in(heads: Sequence[FollowerHeadRow]) -> tuple[int, ...] | None:
    """All followers of an account, of whom heads tell; None where only the shards do."""
    if any(head.overflowed for head in heads):
        return None
    return tuple(dict.fromkeys(follower_id for head in heads for follower_id in head.follower_ids))
