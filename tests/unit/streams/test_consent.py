"""Nobody waits for a public account, and nobody gets into a private one unasked, however privacy and follows race."""

import msgspec
import pytest

from photolog.ids import new_event_id
from projections.accounts import ACCOUNTS as ACCOUNT_ROWS
from projections.graph import FOLLOW_REQUESTS, FOLLOWERS, GRAPH_COUNTS, PAIRS, side_of
from projections.stores.memory_rows import MemoryRows
from projections.tables import KeyTuple, R, Table
from projections.writes import Positioned, put
from schemas import events as e
from schemas.topics import ACCOUNTS, GRAPH, Topic
from streams import consent
from tests.unit.streams.river import NOW_MS, River
from tests.unit.streams.scenario import ANNA, BERT, CARL, DORA, EMIL, account, follow

LONG_AGO_MS = NOW_MS - 2 * 86_400_000


def privacy(private: bool) -> e.PrivacyChanged:
    return e.PrivacyChanged(account_id=ANNA, private=private)


async def world(private: bool = True) -> River:
    """Anna and those who want to follow her."""
    river = River()
    river.append(account(ANNA, private), *(account(one) for one in (BERT, CARL, DORA, EMIL)))
    await river.pump()
    return river


async def status(river: River, follower_id: int) -> str:
    """What somebody is to Anna."""
    pair = await river.rows.get(PAIRS.key(*sorted((follower_id, ANNA))))
    return "none" if pair is None else side_of(pair, follower_id).follows


async def statuses(river: River) -> list[str]:
    return [await status(river, one) for one in (BERT, CARL, DORA)]


async def count(river: River, counter: str) -> int:
    rows = await river.rows.scan(GRAPH_COUNTS, (ANNA,), limit=100)
    return sum(row.count for row in rows if row.counter == counter)


async def test_going_public_approves_whoever_waits() -> None:
    river = await world()
    river.append(*(follow(one, ANNA, "pending") for one in (BERT, CARL, DORA)))
    await river.pump()
    river.append(privacy(False))
    await river.pump()
    assert await statuses(river) == ["active"] * 3
    assert (await count(river, "followers"), await count(river, "requests")) == (3, 0)


async def test_going_private_keeps_followers() -> None:
    river = await world(private=False)
    river.append(follow(BERT, ANNA))
    await river.pump()
    river.append(privacy(True))
    await river.pump()
    river.append(e.AccountMuted(muter_id=BERT, muted_id=ANNA))
    await river.pump()
    assert await status(river, BERT) == "active"


async def test_a_follow_that_is_deferred_once_the_account_is_public_again_is_approved() -> None:
    river = await world(private=False)
    river.append(follow(BERT, ANNA), at_ms=NOW_MS - 5)
    await river.pump()
    river.append(e.FollowDeferred(follower_id=BERT, followee_id=ANNA, followed_ms=NOW_MS - 5))
    await river.pump()
    assert await status(river, BERT) == "active"
    assert await count(river, "requests") == 0


async def test_all_that_had_asked_are_approved_at_once() -> None:
    river = await world()
    river.append(*(follow(one, ANNA, "pending") for one in (BERT, CARL)), at_ms=NOW_MS - 5)
    river.append(follow(DORA, ANNA, "pending"), at_ms=NOW_MS + 5)
    await river.pump()
    river.append(e.RequestsApproved(account_id=ANNA))
    await river.pump()
    assert await statuses(river) == ["active", "active", "pending"], "who asked later was not meant"


async def test_many_are_approved_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent, "PAGE_REQUESTS", 7)
    river = await world()
    many = range(1_000, 1_030)
    river.append(*(account(one) for one in many), *(follow(one, ANNA, "pending") for one in many))
    await river.pump(batch_records=50)
    river.append(e.RequestsApproved(account_id=ANNA))
    await river.pump()
    assert await river.rows.scan(FOLLOW_REQUESTS, (ANNA,), limit=100) == []
    assert await count(river, "followers") == 30


async def test_a_suspended_account_is_not_approved_with_the_others() -> None:
    river = await world()
    river.append(follow(BERT, ANNA, "pending"), follow(CARL, ANNA, "pending"))
    river.append(e.AccountSuspended(account_id=CARL, reason="spam", operator="op"))
    await river.pump()
    river.append(e.RequestsApproved(account_id=ANNA))
    await river.pump()
    assert await statuses(river) == ["active", "pending", "none"]


async def test_a_request_that_comes_when_the_account_is_public_by_now_is_approved() -> None:
    river = await world(private=False)
    river.append(follow(BERT, ANNA, "pending"))
    await river.pump()
    assert await status(river, BERT) == "active"


async def test_a_follow_that_comes_when_the_account_is_private_by_now_waits() -> None:
    river = await world()
    river.append(follow(BERT, ANNA, "active"), at_ms=NOW_MS + 1)
    await river.pump()
    assert await status(river, BERT) == "pending"
    assert (await count(river, "followers"), await count(river, "requests")) == (0, 1)
    shards = [await river.rows.scan(FOLLOWERS, (ANNA, shard), limit=10) for shard in range(16)]
    assert not any(shards)


async def test_a_retry_of_an_old_follow_takes_nothing_from_a_follower() -> None:
    river = await world(private=False)
    event_id = new_event_id()
    river.append(follow(BERT, ANNA), event_id=event_id)
    await river.pump()
    river.append(privacy(True))
    await river.pump()
    river.append(follow(BERT, ANNA), event_id=event_id)
    await river.pump()
    assert await status(river, BERT) == "active"


async def test_a_follow_that_was_made_before_the_account_went_private_is_kept_though_it_comes_later() -> None:
    river = await world(private=False)
    river.append(privacy(True), at_ms=NOW_MS + 2)
    await river.pump()
    river.append(follow(BERT, ANNA), at_ms=NOW_MS + 1)
    await river.pump()
    assert await status(river, BERT) == "active"


async def test_a_follow_whose_decision_is_newer_than_the_row_stands() -> None:
    """The rows of accounts may be behind those of the graph, where a lost store is folded again."""
    river = await world()
    stamped = e.FollowCreated(follower_id=BERT, followee_id=ANNA, wanted_status="active", privacy_version=1_000)
    river.append(stamped, at_ms=NOW_MS + 1)
    await river.pump()
    assert await status(river, BERT) == "active"


@pytest.mark.parametrize("first", [GRAPH, ACCOUNTS], ids=lambda topic: topic.name)
async def test_a_lost_store_is_folded_again_without_a_follower_or_a_request_changing(first: Topic) -> None:
    river = River()
    river.append(account(ANNA), *(account(one) for one in (BERT, CARL, DORA)), at_ms=LONG_AGO_MS)
    river.append(follow(BERT, ANNA), at_ms=LONG_AGO_MS + 1)
    await river.pump()
    river.append(privacy(True), at_ms=LONG_AGO_MS + 2)
    river.append(privacy(False), at_ms=LONG_AGO_MS + 3)
    river.append(privacy(True), at_ms=LONG_AGO_MS + 4)
    await river.pump()
    river.append(follow(CARL, ANNA, "pending"), at_ms=LONG_AGO_MS + 2 * consent.SLACK_MS)
    await river.pump()
    again, whole = River(), river.log.partitions
    again.log.partitions = {place: records for place, records in whole.items() if place[0] == first.name}
    await again.pump(batch_records=1)
    again.log.partitions = whole
    await again.pump(batch_records=1)
    assert await statuses(again) == await statuses(river) == ["active", "pending", "none"]


async def test_an_approval_of_one_request_is_not_one_of_the_next() -> None:
    river = await world()
    river.append(follow(BERT, ANNA, "pending"), at_ms=NOW_MS - 9)
    river.append(e.FollowDeleted(follower_id=BERT, followee_id=ANNA), at_ms=NOW_MS - 8)
    river.append(follow(BERT, ANNA, "pending"), at_ms=NOW_MS - 7)
    river.append(e.FollowApproved(follower_id=BERT, followee_id=ANNA, requested_ms=NOW_MS - 9))
    await river.pump()
    assert await status(river, BERT) == "pending"
    river.append(e.FollowApproved(follower_id=BERT, followee_id=ANNA, requested_ms=NOW_MS - 7))
    await river.pump()
    assert await status(river, BERT) == "active"


async def test_who_asks_again_in_the_same_millisecond_is_approved_again() -> None:
    river = await world(private=False)
    for _ in range(2):
        river.append(follow(BERT, ANNA, "pending"))
        await river.pump()
        assert await status(river, BERT) == "active"
        river.append(e.FollowDeleted(follower_id=BERT, followee_id=ANNA))
        await river.pump()


async def test_closing_again_in_the_same_moment_approves_nobody() -> None:
    river = await world()
    river.append(follow(BERT, ANNA, "pending"))
    await river.pump()
    river.append(privacy(False), privacy(True))
    await river.pump(batch_records=10)
    assert await status(river, BERT) == "pending"


class Overtaken(MemoryRows):
    """Rows in which Anna's account is found private by whoever read her requests before."""

    async def scan(
        self,
        table: Table[R],
        partition: KeyTuple,
        *,
        after: KeyTuple | None = None,
        until: KeyTuple | None = None,
        limit: int,
        ended: bool = False,
    ) -> list[R]:
        found = await super().scan(table, partition, after=after, until=until, limit=limit, ended=ended)
        if table.name == FOLLOW_REQUESTS.name:
            account = await self.get(ACCOUNT_ROWS.key(ANNA))
            assert account is not None
            closed = put(ACCOUNT_ROWS, msgspec.structs.replace(account, private=True))
            await self.apply([[Positioned(closed, 1_000)]])
        return found


async def test_a_worker_that_was_overtaken_approves_nobody_of_an_account_that_is_private_again() -> None:
    river = River(rows=Overtaken())
    river.append(account(ANNA, private=True), account(BERT))
    await river.pump()
    river.append(follow(BERT, ANNA, "pending"))
    await river.pump()
    river.append(privacy(False))
    await river.pump()
    assert await status(river, BERT) == "pending"


async def test_the_same_conclusion_always_has_the_same_id() -> None:
    river = await world()
    river.append(follow(BERT, ANNA, "pending"))
    await river.pump()
    river.append(privacy(False), correlation="who-did-it")
    await river.pump()
    before = len(river.log.of(GRAPH.name))
    river.rows._positions.clear()
    river.restart()
    await river.pump()
    approvals = [one for one in river.log.of(GRAPH.name) if one.header("ce_type") == b"follow.approved"]
    assert len({one.header("ce_id") for one in approvals}) == 1
    assert approvals[0].header("correlation_id") == b"who-did-it"
    assert await status(river, BERT) == "active"
    assert len(river.log.of(GRAPH.name)) >= before
