"""Pages for which time or Redis was lacking: they come, they say so, and they make nobody skip a post."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import author_posts
from gateway.circuit import Circuit
from gateway.endpoint import Call, ListQuery
from gateway.guarded import GuardedCache, GuardedTimelines
from gateway.queries.feed import FeedPage, feed_page, home_feed
from gateway.services import Services
from photolog.errors import StoreUnavailable
from projections.feed import TOP
from projections.stores.port import UNFILLED_MS
from tests.unit.gateway.feed_world import CAP, World, ids_of, read_page

VIEWER, ALICE, BOB, CAROL = 1, 2, 3, 4


class Switch:
    """Stands before every call to some stores."""

    def __init__(self) -> None:
        self.away = False
        self.asked = 0

    def before(self, store: Any, *names: str) -> None:
        for name in names:
            setattr(store, name, self._switched(getattr(store, name)))

    def _switched(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def switched(*arguments: Any, **named: Any) -> Any:
            self.asked += 1
            if self.away:
                raise StoreUnavailable("away")
            return await call(*arguments, **named)

        return switched


class Gate:
    """Lets rows of one author be read only once it is opened, and counts whose rows were asked for."""

    def __init__(self, world: World, author: int) -> None:
        self.opened = asyncio.Event()
        self._scan = world.rows.scan
        self._author = author
        self.scans = 0
        world.rows.scan = self._gated  # type: ignore[method-assign]
        world.rows.scan_partitions = self._gated_together  # type: ignore[method-assign]

    async def _gated(self, table: Any, partition: Any, **named: Any) -> Any:
        self.scans += 1
        if partition == (self._author,):
            await self.opened.wait()
        return await self._scan(table, partition, **named)

    async def _gated_together(self, table: Any, partitions: Any, **named: Any) -> Any:
        return [await self._gated(table, partition, **named) for partition in partitions]


async def world_of(*followed: int) -> World:
    world = World()
    for account_id in (VIEWER, ALICE, BOB, CAROL):
        await world.account(account_id)
    for account_id in followed:
        await world.follow(VIEWER, account_id)
    return world


def hurried(world: World, budget_ms: int = 30) -> Services:
    services = world.services()
    gateway = services.settings.gateway.model_copy(update={"feed_budget_ms": budget_ms})
    return replace(services, settings=services.settings.model_copy(update={"gateway": gateway}))


def switched(world: World) -> Switch:
    switch = Switch()
    switch.before(world.timelines, "page", "open", "merge")
    switch.before(world.cache, "read", "read_all", "merge")
    switch.before(world.recent, "read", "open", "fill")
    return switch


async def body(services: Services, **query: Any) -> FeedPage:
    answer = await home_feed(services, Call({}, query=ListQuery(**query), viewer_id=VIEWER))
    return msgspec.json.decode(answer.body, type=FeedPage)


async def test_the_ranges_of_the_pages_join_without_a_gap() -> None:
    world = await world_of(ALICE)
    for _ in range(2 * CAP + 3):
        await world.post(ALICE)
    services = world.services()
    pages = [await body(services, limit=7)]
    while pages[-1].next_cursor is not None:
        pages.append(await body(services, limit=7, cursor=pages[-1].next_cursor))
    ranges = [page.complete for page in pages if page.complete is not None]
    assert len(ranges) == len(pages) > 3
    assert ranges[0].below is None
    assert ranges[-1].down_to is None
    assert [later.below for later in ranges[1:]] == [earlier.down_to for earlier in ranges[:-1]]
    for page, span in zip(pages[:-1], ranges[:-1], strict=True):
        assert span.down_to is not None
        assert span.down_to.post_id == page.items[-1].id
    assert [len(page.items) for page in pages] == [span.items for span in ranges]
    assert not any(page.degraded or page.reasons for page in pages)


async def test_a_cold_page_shows_what_it_has_and_the_next_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(author_posts, "AUTHORS_PER_READ", 1)
    world = await world_of(ALICE, BOB)
    for number in range(10):
        await world.post((ALICE, BOB)[number % 2])
    expected, gate = world.expected(VIEWER), Gate(world, BOB)
    services = hurried(world)
    page = await body(services, limit=20)
    assert [int(item.id) for item in page.items] == expected[1::2]
    assert (page.complete, page.degraded, page.reasons) == (None, True, ["budget-spent"])
    assert page.next_cursor is not None
    assert (await world.timelines.page(VIEWER, before=None, limit=9)).low_mark_ms == UNFILLED_MS
    gate.opened.set()
    rest = await body(hurried(world, 30_000), limit=20, cursor=page.next_cursor)
    assert [int(item.id) for item in rest.items] == expected
    assert (rest.degraded, rest.next_cursor) == (False, None)


async def test_the_fill_goes_on_behind_the_page_and_is_shared() -> None:
    world = await world_of(ALICE, BOB)
    posted = [await world.post((ALICE, BOB)[number % 2]) for number in range(10)]
    gate, services = Gate(world, BOB), hurried(world)
    pages = await asyncio.gather(*(feed_page(services, VIEWER, TOP, 20) for _ in range(5)))
    assert {page.mark for page in pages} == {TOP}
    assert gate.scans == 3  # one of each author
    late = await world.post(ALICE)
    gate.opened.set()
    # Who joins the fill under way sees what came since it began.
    patient = replace(world.services(), readings=services.readings)
    assert (await read_page(patient, VIEWER))[0] == [late, *posted[::-1]]
    assert (await world.timelines.page(VIEWER, before=None, limit=9)).low_mark_ms == 0
    assert (await read_page(services, VIEWER))[0] == [late, *posted[::-1]]


async def test_below_the_mark_a_page_is_complete_as_far_as_the_timeline_is() -> None:
    world = await world_of(ALICE, BOB)
    for number in range(3 * CAP):
        await world.post((ALICE, BOB)[number % 2])
    expected, services = world.expected(VIEWER), hurried(world)
    first, mark = await read_page(world.services(), VIEWER, limit=CAP - 5)
    gate = Gate(world, BOB)
    assert mark is not None
    page = await feed_page(services, VIEWER, mark, 10)
    settled = ids_of(page.cards[: page.complete])
    assert settled == expected[len(first) :][: len(settled)]
    assert len(settled) == 5 - 1  # the timeline's last entry is its mark
    assert len(page.cards) == 10
    assert page.reasons == {"budget-spent"}
    gate.opened.set()
    seen = first + settled
    before = page.mark
    while before is not None:
        page = await feed_page(world.services(), VIEWER, before, 10)
        seen += ids_of(page.cards)
        before = page.mark
    assert seen == expected


async def test_paging_goes_on_though_no_page_may_wait_and_nothing_can_be_kept_in_redis() -> None:
    world = await world_of(ALICE, BOB)
    for number in range(30):
        await world.post((ALICE, BOB)[number % 2])
    switched(world).away = True
    services, seen, before = hurried(world, 0), [], TOP
    for _ in range(50):
        page = await feed_page(services, VIEWER, before, 7)
        assert "cache-away" in page.reasons
        seen += ids_of(page.cards[: page.complete])
        if page.mark is None:
            break
        before = page.mark
        await asyncio.sleep(0.01)
    assert seen == world.expected(VIEWER)


async def test_while_redis_is_away_pages_come_from_rows_and_say_so() -> None:
    world = await world_of(ALICE, BOB)
    for number in range(3 * CAP):
        await world.post((ALICE, BOB)[number % 2], pull=number % 5 == 0)
    expected, services = world.expected(VIEWER), world.services()
    await read_page(services, VIEWER)
    switch = switched(world)
    switch.away = True
    pages = [await body(services, limit=7)]
    while pages[-1].next_cursor is not None:
        pages.append(await body(services, limit=7, cursor=pages[-1].next_cursor))
        switch.away = len(pages) % 3 > 0  # it comes and goes while they page
    assert [int(item.id) for page in pages for item in page.items] == expected
    assert pages[0].reasons == ["cache-away"]
    assert not all(page.degraded for page in pages)


async def test_redis_that_goes_away_during_a_fill_costs_the_fill_and_not_the_page() -> None:
    world = await world_of(ALICE)
    posted = [await world.post(ALICE) for _ in range(3)]
    merge = world.timelines.merge

    async def away(*arguments: Any, **named: Any) -> None:
        raise StoreUnavailable("away")

    world.timelines.merge = away  # type: ignore[method-assign]
    assert (await read_page(world.services(), VIEWER))[0] == posted[::-1]
    world.timelines.merge = merge  # type: ignore[method-assign]
    assert (await world.timelines.page(VIEWER, before=None, limit=9)).low_mark_ms == UNFILLED_MS
    assert (await read_page(world.services(), VIEWER))[0] == posted[::-1]
    assert (await world.timelines.page(VIEWER, before=None, limit=9)).low_mark_ms == 0


async def test_a_redis_that_is_away_is_not_asked_by_every_page() -> None:
    world = await world_of(ALICE)
    await world.post(ALICE)
    switch = switched(world)
    switch.away = True
    circuit = Circuit("redis", 1.0, clock=lambda: 0.0)
    services = replace(
        world.services(),
        timelines=GuardedTimelines(world.timelines, circuit),
        cache=GuardedCache(world.cache, circuit),
    )
    for _ in range(20):
        assert (await feed_page(services, VIEWER, TOP, 5)).reasons == {"cache-away"}
    assert switch.asked == 3


async def test_rows_that_are_away_are_no_page() -> None:
    world = await world_of(ALICE)
    switch = Switch()
    switch.before(world.rows, "scan")
    switch.away = True
    with pytest.raises(StoreUnavailable):
        await feed_page(world.services(), VIEWER, TOP, 5)


@settings(max_examples=60)
@given(
    posts=st.lists(st.tuples(st.sampled_from((VIEWER, ALICE, BOB, CAROL)), st.integers(0, 4)), max_size=60),
    limit=st.integers(1, 9),
    away=st.lists(st.booleans(), min_size=1, max_size=8),
    budgets=st.lists(st.sampled_from((0, 30_000)), min_size=1, max_size=8),
)
async def test_whatever_lacks_in_between_every_post_is_shown_once_where_pages_are_complete(
    posts: list[tuple[int, int]], limit: int, away: list[bool], budgets: list[int]
) -> None:
    world = await world_of(ALICE, BOB)
    for author, passes_ms in posts:
        world.clock_ms += passes_ms
        await world.post(author, at_ms=world.clock_ms)
    expected, switch = world.expected(VIEWER), switched(world)
    processes = {budget: hurried(world, budget) for budget in set(budgets)}
    seen: list[int] = []
    before, turn = TOP, 0
    while True:
        switch.away = away[turn % len(away)]
        page = await feed_page(processes[budgets[turn % len(budgets)]], VIEWER, before, limit)
        seen += ids_of(page.cards[: page.complete])
        turn += 1
        if page.mark is None:
            break
        assert page.mark <= before
        before = page.mark
        await asyncio.sleep(0)
    assert seen == expected
