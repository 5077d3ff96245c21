"""Whom somebody followed, blocked and muted at a time, and how these accounts were then."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lineage.changes import naming_events
from lineage.decoding import Opening
from lineage.ids import Naming
from lineage.reading import Log
from lineage.tracing import Tracing
from photolog.log.partitioner import partition_of
from projections.accounts import ACCOUNTS, ACCOUNTS_PROJECTION, AccountRow
from projections.graph import GRAPH_PROJECTION, PairRow
from projections.relations import Relation, relation_of
from schemas.topics import ACCOUNTS as ACCOUNTS_TOPIC
from schemas.topics import GRAPH


@dataclass(frozen=True, slots=True)
class PastPeople:
    """The people around a viewer at a time.

    Args:
        viewer: the viewer's own account; None where there was none.
        relations: what was between the viewer and each account whose posts might be in their feed.
        accounts: those accounts, as they were.
    """

    viewer: AccountRow | None
    relations: Mapping[int, Relation]
    accounts: Mapping[int, AccountRow]


async def people_at(log: Log, opening: Opening, viewer_id: int, at_ms: int) -> PastPeople:
    """Everyone whom a viewer followed at a time, with what else was between the two.

    Raises:
        LogUnavailable, StoreUnavailable: the log, a key or a schema could not be read.
        TooMuch: more accounts have to do with the viewer than may be held.
    """
    relations = await _relations(log, opening, viewer_id, at_ms)
    followed = {other: relation for other, relation in relations.items() if relation.follows == "active"}
    accounts = await _accounts(log, opening, {viewer_id, *followed}, at_ms)
    return PastPeople(accounts.get(viewer_id), followed, accounts)


async def _relations(log: Log, opening: Opening, viewer_id: int, at_ms: int) -> dict[int, Relation]:
    """Events between two people are keyed by the pair, so every partition is looked through for the viewer's."""
    tracing = Tracing(GRAPH_PROJECTION, kept=lambda _: False)
    async for one in naming_events(
        log, opening, GRAPH.name, Naming([viewer_id]), lambda _, count: range(count), until_ms=at_ms
    ):
        if one.placed.record.timestamp_ms <= at_ms:
            tracing.apply(one.recorded)
    pairs = [kept.row for kept in tracing.state.values() if isinstance(kept.row, PairRow)]
    return {pair.high_id if pair.low_id == viewer_id else pair.low_id: relation_of(viewer_id, pair) for pair in pairs}


async def _accounts(log: Log, opening: Opening, account_ids: Collection[int], at_ms: int) -> dict[int, AccountRow]:
    keys = {str(account_id).encode() for account_id in account_ids}
    tracing = Tracing(ACCOUNTS_PROJECTION)
    async for records in log.in_order(
        ACCOUNTS_TOPIC.name, lambda _, count: {partition_of(key, count) for key in keys}, until_ms=at_ms
    ):
        wanted = [one for one in records if one.record.key in keys and one.record.timestamp_ms <= at_ms]
        for one in await opening.events(wanted):
            tracing.apply(one.recorded)
    found = ((account_id, tracing.row(ACCOUNTS.key(account_id))) for account_id in account_ids)
    return {account_id: account for account_id, account in found if account is not None}
