"""What every timeline store must do."""

import asyncio

import pytest

from projections.stores.port import UNFILLED_MS, Delivery, TimelineEntry
from tests.contract.sample_tables import fresh_id
from tests.contract.timeline_subjects import (
    CAP,
    LIFE_MS,
    TimelineSubject,
    entry,
    filled,
    memory_subject,
    redis_subject,
    shown,
)

BIG = (1 << 62) + 1  # far above 2^53, where Lua's numbers lose digits


@pytest.fixture(
    params=[
        "memory",
        pytest.param("node_client", marks=pytest.mark.integration),
        pytest.param("cluster_client", marks=pytest.mark.integration),
    ]
)
def subject(request: pytest.FixtureRequest) -> TimelineSubject:
    if request.param == "memory":
        return memory_subject()
    return redis_subject(request.getfixturevalue(request.param))


async def test_delivery_reaches_existing_timelines_only(subject: TimelineSubject) -> None:
    there, absent = fresh_id(), fresh_id()
    await filled(subject.store, there)
    assert await subject.store.deliver([Delivery(entry(5), (there, absent))]) == 1
    assert await shown(subject.store, there) == [5]
    assert not (await subject.store.page(absent, before=None, limit=10)).exists


async def test_a_repeated_delivery_changes_nothing(subject: TimelineSubject) -> None:
    account = fresh_id()
    await filled(subject.store, account)
    assert await subject.store.deliver([Delivery(entry(5), (account,))]) == 1
    assert await subject.store.deliver([Delivery(entry(5), (account,)), Delivery(entry(5), (account, account))]) == 0
    assert await shown(subject.store, account) == [5]


async def test_one_delivery_reaches_thousands(subject: TimelineSubject) -> None:
    accounts = sorted(fresh_id() for _ in range(1_234))
    await asyncio.gather(*(filled(subject.store, account) for account in accounts))
    deliveries = [Delivery(entry(5), tuple(accounts)), Delivery(entry(6), tuple(accounts[:1_000]))]
    assert await subject.store.deliver(deliveries) == 2_234
    assert await shown(subject.store, accounts[0]) == [6, 5]
    assert await shown(subject.store, accounts[-1]) == [5]


async def test_nothing_to_deliver_is_fine(subject: TimelineSubject) -> None:
    assert await subject.store.deliver([]) == 0
    assert await subject.store.deliver([Delivery(entry(5), ())]) == 0


async def test_entries_come_newest_first_and_ties_by_id(subject: TimelineSubject) -> None:
    account = fresh_id()
    await filled(subject.store, account)
    for published_ms, post_id in ((5, 9), (5, BIG), (5, 10), (7, 1), (5, BIG - 1), (3, 300)):
        await subject.store.deliver([Delivery(entry(published_ms, post_id), (account,))])
    assert await shown(subject.store, account) == [1, BIG, BIG - 1, 10, 9, 300]


async def test_an_entry_keeps_every_digit(subject: TimelineSubject) -> None:
    account = fresh_id()
    await filled(subject.store, account)
    wanted = TimelineEntry(1_763_806_540_123, BIG, BIG + 2)
    await subject.store.deliver([Delivery(wanted, (account,))])
    assert (await subject.store.page(account, before=None, limit=1)).entries == (wanted,)


async def test_a_page_begins_strictly_behind_its_mark(subject: TimelineSubject) -> None:
    account = fresh_id()
    entries = [entry(5, post_id) for post_id in (1, 2, 3, 4)] + [entry(6, 9), entry(4, 8)]
    await filled(subject.store, account, 0, *entries)
    pages = []
    before = None
    while True:
        page = await subject.store.page(account, before=before, limit=2)
        if not page.entries:
            break
        pages.append([item.post_id for item in page.entries])
        before = page.entries[-1]
    assert pages == [[9, 4], [3, 2], [1, 8]]


async def test_a_page_may_begin_behind_an_entry_that_is_not_there(subject: TimelineSubject) -> None:
    account = fresh_id()
    await filled(subject.store, account, 0, entry(5, 1), entry(5, 3), entry(4, 9))
    page = await subject.store.page(account, before=entry(5, 2), limit=10)
    assert [item.post_id for item in page.entries] == [1, 9]


async def test_trimming_raises_the_mark(subject: TimelineSubject) -> None:
    account = fresh_id()
    await filled(subject.store, account)
    for published_ms in range(1, CAP + 4):
        await subject.store.deliver([Delivery(entry(published_ms), (account,))])
        page = await subject.store.page(account, before=None, limit=100)
        assert page.low_mark_ms + len(page.entries) == published_ms
        assert len(page.entries) <= CAP * 1.1
    assert page.low_mark_ms > 0


async def test_a_merge_trims_to_the_cap(subject: TimelineSubject) -> None:
    account = fresh_id()
    await filled(subject.store, account, 0, *(entry(published_ms) for published_ms in range(1, 2 * CAP + 1)))
    page = await subject.store.page(account, before=None, limit=100)
    assert [item.post_id for item in page.entries] == list(range(2 * CAP, CAP, -1))
    assert page.low_mark_ms == CAP


async def test_trimming_among_ties_leaves_none_at_the_mark(subject: TimelineSubject) -> None:
    account = fresh_id()
    ties = [entry(5, post_id) for post_id in range(1, CAP + 1)]
    await filled(subject.store, account, 0, *ties, *(entry(6, post_id) for post_id in range(100, 105)))
    page = await subject.store.page(account, before=None, limit=100)
    assert page.low_mark_ms == 5
    assert [item.published_ms for item in page.entries] == [6] * 5


async def test_nothing_but_ties_is_trimmed_to_an_empty_timeline_that_lives_on(subject: TimelineSubject) -> None:
    account = fresh_id()
    await filled(subject.brief, account, 0, *(entry(5, post_id) for post_id in range(1, CAP + 5)))
    page = await subject.brief.page(account, before=None, limit=100)
    assert (page.exists, page.entries, page.low_mark_ms) == (True, (), 5)
    await subject.wait(LIFE_MS + 100)
    assert not (await subject.brief.page(account, before=None, limit=1)).exists


async def test_entries_at_or_below_the_mark_are_refused(subject: TimelineSubject) -> None:
    account = fresh_id()
    await filled(subject.store, account, 10)
    await subject.store.deliver([Delivery(entry(published_ms), (account,)) for published_ms in (9, 10, 11)])
    await subject.store.merge(account, [entry(8), entry(10, 4), entry(12)], low_mark_ms=None)
    assert await shown(subject.store, account) == [12, 11]


async def test_refused_entries_do_not_push_out_others(subject: TimelineSubject) -> None:
    account = fresh_id()
    await filled(subject.store, account, 50, *(entry(published_ms) for published_ms in range(51, 51 + CAP)))
    for published_ms in range(1, 2 * CAP):
        await subject.store.deliver([Delivery(entry(published_ms), (account,))])
    page = await subject.store.page(account, before=None, limit=100)
    assert (len(page.entries), page.low_mark_ms) == (CAP, 50)


async def test_an_opened_timeline_is_complete_for_nothing_and_takes_deliveries(subject: TimelineSubject) -> None:
    account = fresh_id()
    await subject.store.open(account)
    await subject.store.deliver([Delivery(entry(5), (account,))])
    page = await subject.store.page(account, before=None, limit=10)
    assert (page.exists, page.low_mark_ms, page.entries) == (True, UNFILLED_MS, (entry(5),))


async def test_deliveries_during_a_fill_are_kept(subject: TimelineSubject) -> None:
    account = fresh_id()
    opened = await subject.store.open(account)
    await subject.store.deliver([Delivery(entry(20), (account,)), Delivery(entry(4), (account,))])
    await subject.store.merge(account, [entry(10)], low_mark_ms=5, opened=opened)
    page = await subject.store.page(account, before=None, limit=10)
    assert [item.post_id for item in page.entries] == [20, 10]
    assert page.low_mark_ms == 5


async def test_what_was_trimmed_during_a_fill_stays_below_the_mark(subject: TimelineSubject) -> None:
    account = fresh_id()
    opened = await subject.store.open(account)
    for published_ms in range(100, 100 + 2 * CAP):
        await subject.store.deliver([Delivery(entry(published_ms), (account,))])
    await subject.store.merge(account, [entry(1)], low_mark_ms=0, opened=opened)
    page = await subject.store.page(account, before=None, limit=100)
    assert page.low_mark_ms >= 100
    assert page.entries[-1].published_ms == page.low_mark_ms + 1


async def test_two_fills_at_once_end_in_one_timeline(subject: TimelineSubject) -> None:
    account = fresh_id()
    first, second = await subject.store.open(account), await subject.store.open(account)
    assert first == second
    await subject.store.merge(account, [entry(10)], low_mark_ms=5, opened=first)
    await subject.store.merge(account, [entry(10), entry(4)], low_mark_ms=3, opened=second)
    page = await subject.store.page(account, before=None, limit=10)
    assert (page.low_mark_ms, [item.post_id for item in page.entries]) == (5, [10])


async def test_a_fill_does_not_end_another_lifes_fill(subject: TimelineSubject) -> None:
    account = fresh_id()
    opened = await subject.store.open(account)
    await subject.store.drop(account)
    await subject.store.merge(account, [entry(10)], low_mark_ms=0, opened=opened)
    assert not (await subject.store.page(account, before=None, limit=10)).exists
    assert await subject.store.open(account) != opened
    await subject.store.merge(account, [entry(10)], low_mark_ms=0, opened=opened)
    assert (await subject.store.page(account, before=None, limit=10)).low_mark_ms == UNFILLED_MS


async def test_a_merge_does_not_create_a_timeline(subject: TimelineSubject) -> None:
    account = fresh_id()
    await subject.store.merge(account, [entry(10)], low_mark_ms=None)
    assert not (await subject.store.page(account, before=None, limit=10)).exists


async def test_pulled_entries_are_remembered_by_author_and_never_trimmed(subject: TimelineSubject) -> None:
    account = fresh_id()
    await filled(subject.store, account, 0, entry(1, author_id=BIG, pull=True))
    await subject.store.deliver([Delivery(entry(2, author_id=3, pull=True), (account,))])
    await subject.store.merge(account, [entry(3, author_id=5)], low_mark_ms=None)
    for published_ms in range(10, 10 + 2 * CAP):
        await subject.store.deliver([Delivery(entry(published_ms), (account,))])
    page = await subject.store.page(account, before=None, limit=100)
    assert sorted(page.pull_author_ids) == [3, BIG]
    assert CAP <= len(page.entries) <= CAP * 1.1
    behind = await subject.store.page(account, before=page.entries[4], limit=3)
    assert sorted(behind.pull_author_ids) == [3, BIG]
    assert behind.entries == page.entries[5:8]


async def test_a_pulled_entry_below_the_mark_is_still_remembered(subject: TimelineSubject) -> None:
    account = fresh_id()
    await filled(subject.store, account, 10)
    await subject.store.deliver([Delivery(entry(5, author_id=3, pull=True), (account,))])
    page = await subject.store.page(account, before=None, limit=10)
    assert (page.entries, page.pull_author_ids) == ((), (3,))


async def test_reading_renews_the_life_and_delivery_does_not(subject: TimelineSubject) -> None:
    read, unread = fresh_id(), fresh_id()
    for account in (read, unread):
        await filled(subject.brief, account)
    for published_ms in range(1, 4):
        await subject.wait(LIFE_MS * 2 // 5)
        await subject.brief.deliver([Delivery(entry(published_ms), (read, unread))])
        assert (await subject.brief.page(read, before=None, limit=1)).exists
    assert await shown(subject.brief, read) == [3, 2, 1]
    assert not (await subject.brief.page(unread, before=None, limit=1)).exists


async def test_a_flushed_store_has_no_timelines(subject: TimelineSubject) -> None:
    account = fresh_id()
    await filled(subject.store, account, 0, entry(5))
    await subject.flush()
    assert not (await subject.store.page(account, before=None, limit=1)).exists
    assert await subject.store.deliver([Delivery(entry(6), (account,))]) == 0


async def test_a_dropped_timeline_is_gone(subject: TimelineSubject) -> None:
    account = fresh_id()
    await filled(subject.store, account, 0, entry(5))
    await subject.store.drop(account)
    assert not (await subject.store.page(account, before=None, limit=1)).exists
