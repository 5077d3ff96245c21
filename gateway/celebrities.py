"""What very many ask of very few: a celebrity's counts and first followers, read from the rows once a minute.

The partitions of such an account would otherwise be read by everybody who looks at it. Who may see an entry is decided
behind this, by exact rules and on every request; accounts below the threshold are always read exactly.
"""

from collections.abc import Sequence

from gateway.remembered import GraphSums
from gateway.services import Services
from projections.graph import FOLLOWER_SHARDS, FOLLOWERS, GRAPH_COUNTS, FollowerRow
from projections.tables import KeyTuple

FIRST_FOLLOWERS = 300  # the pages that people look at
_COUNT_ROWS_MAX = 16_384  # three counters, each in as many parts as the topic has partitions


async def exact_sums(services: Services, account_id: int) -> GraphSums:
    """The counts of an account's edges, each summed over the partitions that it is kept by."""
    sums = {"followers": 0, "following": 0, "requests": 0}
    for row in await services.rows.scan(GRAPH_COUNTS, (account_id,), limit=_COUNT_ROWS_MAX):
        sums[row.counter] += row.count
    return GraphSums(**sums)


async def recent_sums(services: Services, account_id: int) -> GraphSums:
    """The same; a celebrity's may be a minute old."""
    remembered = services.celebrities.sums.get(account_id)
    if remembered is not None:
        return remembered
    sums = await exact_sums(services, account_id)
    if sums.followers >= services.settings.limits.celebrity_followers:
        services.celebrities.sums.keep(account_id, sums)
    return sums


async def followers_behind(
    services: Services, account_id: int, after: KeyTuple | None, limit: int
) -> Sequence[FollowerRow]:
    """The next followers of an account.

    Args:
        services: the gateway's.
        account_id: whose.
        after: the (shard, slot, follower_id) of the one before; None for the first.
        limit: how many at most.
    """
    sums = await recent_sums(services, account_id)
    if sums.followers < services.settings.limits.celebrity_followers:
        return await _read(services, account_id, after, limit)
    first = services.celebrities.followers.get(account_id)
    if first is None:
        first = await _read(services, account_id, None, FIRST_FOLLOWERS)
        services.celebrities.followers.keep(account_id, first)
    behind = [row for row in first if after is None or (row.shard, row.slot, row.follower_id) > after]
    if len(behind) >= limit or len(first) < FIRST_FOLLOWERS:
        return behind[:limit]
    return await _read(services, account_id, after, limit)


async def _read(services: Services, account_id: int, after: KeyTuple | None, limit: int) -> list[FollowerRow]:
    shard, behind = (after[0], after[1:]) if after else (0, None)
    found: list[FollowerRow] = []
    while shard < FOLLOWER_SHARDS and len(found) < limit:
        found += await services.rows.scan(FOLLOWERS, (account_id, shard), after=behind, limit=limit - len(found))
        shard, behind = shard + 1, None
    return found
