"""The home feed over memory adapters: what is on its pages, and what a page costs."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.endpoint import Call, ListQuery
from gateway.queries.feed import FeedPage, feed_page, home_feed
from gateway.services import Services
from photolog.errors import Invalid, StoreUnavailable
from photolog.ids import SnowflakeSource, first_snowflake
from projections.cards import likes_key, post_key
from projections.feed import TOP
from projections.stores.memory_cache import MemoryCache
from projections.stores.port import TimelineEntry, TimelinePage
from tests.unit.gateway.feed_world import CAP, World, read_page

VIEWER, ALICE, BOB, CAROL = 1, 2, 3, 4


async def world_of(*followed: int, cap: int = CAP) -> World:
    world = World(cap=cap)
    for account_id in (VIEWER, ALICE, BOB, CAROL):
        await world.account(account_id)
    for account_id in followed:
        await world.follow(VIEWER, account_id)
    return world


async def all_ids(world: World, limit: int = 5) -> list[int]:
    return [post_id for page in await world.read_all(VIEWER, limit) for post_id in page]


async def test_a_feed_holds_own_and_followed_posts_newest_first() -> None:
    world = await world_of(ALICE, BOB)
    posted = [await world.post(author) for author in (ALICE, VIEWER, CAROL, BOB, ALICE)]
    assert await all_ids(world) == [posted[4], posted[3], posted[1], posted[0]]


async def test_nobody_followed_and_nothing_posted_is_an_empty_feed() -> None:
    world = await world_of()
    assert await read_page(world.services(), VIEWER) == ([], None)
    assert await read_page(world.services(), VIEWER) == ([], None)


async def test_posts_after_the_first_look_arrive_by_fan_out() -> None:
    world = await world_of(ALICE)
    assert await all_ids(world) == []
    posted = [await world.post(ALICE) for _ in range(3)]
    assert (await world.timelines.page(VIEWER, before=None, limit=9)).entries
    assert await all_ids(world) == posted[::-1]


@pytest.mark.parametrize("limit", [1, 2, 7, 19, 20, 21, 100])
async def test_pages_of_any_size_show_everything_once_also_far_below_the_mark(limit: int) -> None:
    world = await world_of(ALICE, BOB)
    for number in range(4 * CAP):
        await world.post((ALICE, BOB, VIEWER, CAROL)[number % 4], at_ms=2_000 + number // 3)
    for _ in range(2):  # a cold timeline, then a warm one
        pages = await world.read_all(VIEWER, limit)
        assert [post_id for page in pages for post_id in page] == world.expected(VIEWER)
        assert all(len(page) == limit for page in pages[:-1])


async def test_new_posts_neither_repeat_nor_skip_what_is_paged_through() -> None:
    world = await world_of(ALICE, BOB)
    for _ in range(2 * CAP):
        await world.post(ALICE)
    expected = world.expected(VIEWER)
    services, seen, before = world.services(), [], None
    while True:
        page, before = await read_page(services, VIEWER, before, 7)
        seen += page
        for _ in range(9):
            await world.post(BOB)
        if before is None:
            break
    assert seen == expected


async def test_a_flushed_timeline_in_the_middle_of_paging_changes_nothing() -> None:
    world = await world_of(ALICE)
    for _ in range(2 * CAP):
        await world.post(ALICE)
    services, seen, before = world.services(), [], None
    while True:
        page, before = await read_page(services, VIEWER, before, 6)
        seen += page
        await world.timelines.drop(VIEWER)
        if before is None:
            break
    assert seen == world.expected(VIEWER)


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize(
    ("change", "hidden"),
    [
        (lambda world: world.relate(VIEWER, ALICE, follows="none"), True),
        (lambda world: world.relate(VIEWER, ALICE, follows="pending"), True),
        (lambda world: world.relate(VIEWER, ALICE, blocks=True), True),
        (lambda world: world.relate(ALICE, VIEWER, blocks=True), True),
        (lambda world: world.relate(VIEWER, ALICE, mutes=True), True),
        (lambda world: world.relate(ALICE, VIEWER, mutes=True), False),
        (lambda world: world.account(ALICE, suspended=True), True),
        (lambda world: world.account(ALICE, private=True), False),
    ],
)
async def test_what_stands_between_viewer_and_author_holds_at_once(
    change: Callable[[World], Awaitable[None]], hidden: bool, warm: bool
) -> None:
    world = await world_of(ALICE, BOB)
    posted = [await world.post(author) for author in (ALICE, BOB, ALICE)]
    if warm:
        assert await all_ids(world) == posted[::-1]
    await change(world)
    assert await all_ids(world) == ([posted[1]] if hidden else posted[::-1])
    assert await all_ids(world) == world.expected(VIEWER)


async def test_a_deleted_post_is_gone_at_once() -> None:
    world = await world_of(ALICE)
    posted = [await world.post(ALICE) for _ in range(3)]
    assert await all_ids(world) == posted[::-1]
    await world.delete(posted[1])
    assert await all_ids(world) == [posted[2], posted[0]]


async def test_a_page_of_hidden_posts_is_filled_from_behind_them() -> None:
    world = await world_of(ALICE, BOB, cap=200)
    wanted = [await world.post(BOB) for _ in range(5)]
    for _ in range(7):
        await world.post(ALICE)
    await world.relate(VIEWER, ALICE, mutes=True)
    page, mark = await read_page(world.services(), VIEWER, limit=6)
    assert (page, mark) == (wanted[::-1], None)


async def test_far_more_hidden_posts_than_a_page_looks_at_end_in_a_mark_to_go_on_from() -> None:
    world = await world_of(ALICE, BOB, cap=200)
    wanted = [await world.post(BOB) for _ in range(5)]
    for _ in range(100):
        await world.post(ALICE)
    await world.relate(VIEWER, ALICE, mutes=True)
    page, mark = await read_page(world.services(), VIEWER, limit=5)
    assert page == []
    assert mark is not None
    assert await all_ids(world) == wanted[::-1]


async def test_posts_that_are_pulled_appear_in_every_state_of_the_timeline() -> None:
    world = await world_of(ALICE, BOB)
    before = [await world.post(author) for author in (ALICE, BOB)]
    assert await all_ids(world) == before[::-1]
    for number in range(3 * CAP):
        await world.post(BOB if number % 3 else ALICE, pull=number % 3 > 0)
    for _ in range(2):
        assert await all_ids(world) == world.expected(VIEWER)
        assert await all_ids(world, 20) == world.expected(VIEWER)
    await world.timelines.drop(VIEWER)
    assert await all_ids(world) == world.expected(VIEWER)
    assert (await world.timelines.page(VIEWER, before=None, limit=1)).pull_author_ids == (BOB,)


async def test_a_followed_account_whose_posts_are_pulled_appears_at_once() -> None:
    world = await world_of(ALICE)
    posted = [await world.post(BOB, pull=True) for _ in range(3)]
    assert await all_ids(world) == []
    await world.follow(VIEWER, BOB)
    assert await all_ids(world) == posted[::-1]
    later = await world.post(BOB, pull=True)
    assert await all_ids(world) == [later, *posted[::-1]]


@pytest.mark.parametrize("limit", [5, 20])
async def test_one_of_many_whose_posts_are_pulled_may_fill_the_page(limit: int) -> None:
    world, authors = World(), range(100, 130)
    for account_id in (VIEWER, *authors):
        await world.account(account_id)
    for author in authors:
        await world.follow(VIEWER, author)
        await world.post(author, pull=True)
    await all_ids(world)
    for number in range(3 * CAP):
        await world.post(authors[number % 2 * 7], pull=True)
    assert await all_ids(world, limit) == world.expected(VIEWER)


async def test_counts_and_likes_follow_at_once() -> None:
    world = await world_of(ALICE)
    first, second = [await world.post(ALICE) for _ in range(2)]
    await world.like(VIEWER, first)
    await world.like(BOB, first)
    assert await likes_shown(world) == {second: (0, False), first: (2, True)}
    for actor in (ALICE, BOB, CAROL):
        await world.like(actor, second)
    assert await likes_shown(world) == {second: (3, False), first: (2, True)}
    await world.like(VIEWER, second)
    assert await likes_shown(world) == {second: (4, True), first: (2, True)}


async def test_the_answer_is_the_documented_page() -> None:
    world = await world_of(ALICE)
    for _ in range(3):
        await world.post(ALICE)
    page = await feed_body(world, limit=2)
    assert [item.author.username for item in page.items] == ["user2", "user2"]
    assert page.next_cursor is not None
    rest = await feed_body(world, limit=2, cursor=page.next_cursor)
    assert (len(rest.items), rest.next_cursor) == (1, None)


async def test_another_viewers_cursor_is_refused() -> None:
    world = await world_of(ALICE)
    for _ in range(3):
        await world.post(ALICE)
    cursor = (await feed_body(world, limit=1)).next_cursor
    with pytest.raises(Invalid):
        await home_feed(world.services(), Call({}, query=ListQuery(cursor=cursor), viewer_id=BOB))


class CountingStores:
    """Counts the dependent round trips to stores: calls that begin while another runs share its trip."""

    def __init__(self, world: World) -> None:
        self.trips = 0
        self._running = 0
        for store, names in (
            (world.rows, ("load", "get", "get_many", "scan", "scan_kept")),
            (world.timelines, ("page", "open", "merge")),
            (world.cache, ("read", "merge")),
        ):
            for name in names:
                setattr(store, name, self._counted(getattr(store, name)))

    def _counted(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def counted(*arguments: Any, **named: Any) -> Any:
            if self._running == 0:
                self.trips += 1
            self._running += 1
            try:
                await asyncio.sleep(0.002)
                return await call(*arguments, **named)
            finally:
                self._running -= 1

        return counted


@pytest.mark.parametrize(("followees", "celebrities"), [(10, 0), (2_000, 0), (2_000, 20)])
async def test_a_warm_page_costs_at_most_four_dependent_round_trips(followees: int, celebrities: int) -> None:
    world = World(cap=300)
    authors = range(100, 100 + followees)
    for author in (VIEWER, *authors):
        await world.account(author)
    for author in authors:
        await world.follow(VIEWER, author)
    for author in authors:
        post_id = await world.post(author, pull=author - 100 < celebrities)
        await world.account(author + 10_000)
        await world.comment(author + 10_000, post_id)
    # A large page fills the timeline and the cards of what follows once some are hidden.
    assert (await read_page(world.services(), VIEWER, limit=60))[0] == world.expected(VIEWER)[:60]
    for author in list(authors)[-5:]:
        await world.relate(VIEWER, author, mutes=True)
    counted = CountingStores(world)
    page = await feed_page(world.services(), VIEWER, TOP, 20)
    shown = [msgspec.json.decode(card) for card in page.cards]
    assert [int(card["id"]) for card in shown] == world.expected(VIEWER)[:20]
    assert all(len(card["top_comments"]) == 1 for card in shown)
    assert counted.trips <= 4


async def test_a_warm_page_reads_no_rows_and_no_more_entries_than_it_may_need() -> None:
    world = await world_of(ALICE, cap=300)
    for _ in range(300):
        await world.post(ALICE)
    await read_page(world.services(), VIEWER, limit=20)
    asked = []
    page = world.timelines.page

    async def watched(account_id: int, *, before: TimelineEntry | None, limit: int) -> TimelinePage:
        asked.append(limit)
        return await page(account_id, before=before, limit=limit)

    world.timelines.page = watched  # type: ignore[method-assign]
    services = replace(world.services(), rows=None)  # type: ignore[arg-type]  # a warm page needs none
    assert len((await read_page(services, VIEWER, limit=20))[0]) == 20
    assert sum(asked) <= 40


async def test_posts_that_are_new_to_the_viewer_need_no_rows_and_show_what_the_viewer_did_with_them() -> None:
    world = await world_of(ALICE)
    old = await world.post(ALICE)
    await read_page(world.services(), VIEWER)
    world.ids = count(first_snowflake(world.services().clock_ms() + 3_600_000))
    plain, liked = [await world.post(ALICE) for _ in range(2)]
    await world.like(VIEWER, liked)
    await world.like(BOB, liked)
    unread = replace(world.services(), rows=None)  # type: ignore[arg-type]  # none is asked for
    expected = {old: (False, 0), plain: (False, 0), liked: (True, 2)}
    assert await cards_of(unread) == expected
    await world.cache.drop([likes_key(VIEWER), post_key(liked)])
    assert await cards_of(world.services()) == expected
    assert await cards_of(unread) == expected


async def cards_of(services: Services) -> dict[int, tuple[bool, int]]:
    """Of each post on the viewer's page, whether they like it, and how many do."""
    cards = [msgspec.json.decode(card) for card in (await feed_page(services, VIEWER, TOP, 20)).cards]
    return {int(card["id"]): (card["viewer"]["liked"], card["counts"]["likes"]) for card in cards}


async def test_cards_are_shown_while_the_cache_is_away() -> None:
    world = await world_of(ALICE)
    posted = [await world.post(ALICE) for _ in range(3)]
    await world.like(VIEWER, posted[0])

    async def away(*_: Any) -> Any:
        raise StoreUnavailable("away")

    world.cache.read = away  # type: ignore[method-assign,assignment]
    world.cache.merge = away  # type: ignore[method-assign,assignment]
    assert await likes_shown(world) == {posted[2]: (0, False), posted[1]: (0, False), posted[0]: (1, True)}


async def test_a_follow_and_a_post_that_race_with_a_fill_are_not_lost() -> None:
    """Rows are read slowly, so that posts and fan-out fall between the opening of a timeline and its merge."""
    world = await world_of(ALICE, BOB)
    for _ in range(5):
        await world.post(ALICE)
    scan = world.rows.scan

    async def slow(*arguments: Any, **named: Any) -> Any:
        found = await scan(*arguments, **named)
        await asyncio.sleep(0.002)
        return found

    world.rows.scan = slow  # type: ignore[method-assign]
    services = world.services()

    async def post() -> None:
        for author in (BOB, ALICE, VIEWER) * 4:
            await world.post(author)
            await asyncio.sleep(0.001)

    await asyncio.gather(post(), *(read_page(services, VIEWER) for _ in range(3)))
    assert await all_ids(world) == world.expected(VIEWER)


_people = st.integers(1, 4)
_steps = st.lists(
    st.tuples(
        st.sampled_from(
            (
                *("post", "post", "post", "pull", "follow", "follow", "unfollow", "block", "unblock", "mute"),
                *("unmute", "delete", "suspend", "reinstate", "drop", "look", "look"),
            )
        ),
        _people,
        _people,
    ),
    max_size=60,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(steps=_steps, limit=st.integers(1, 9), caching=st.booleans())
async def test_any_history_gives_the_naive_feed(steps: list[tuple[str, int, int]], limit: int, caching: bool) -> None:
    world = World(cap=6)
    for account_id in range(1, 5):
        await world.account(account_id)
    for kind, one, other in steps:
        await take(world, kind, one, other)
        if not caching:
            world.cache = MemoryCache()
    for viewer in range(1, 5):
        for _ in range(2):
            pages = await world.read_all(viewer, limit)
            assert [post_id for page in pages for post_id in page] == world.expected(viewer)


async def take(world: World, kind: str, one: int, other: int) -> None:
    """One step of a history."""
    alive = [post_id for post_id, post in world.posts.items() if post.status == "published"]
    match kind:
        case "post" | "pull":
            # Several posts share an instant.
            await world.post(one, at_ms=1_000 + len(world.posts) // 2, pull=kind == "pull")
        case "delete" if alive:
            await world.delete(alive[(one * 7 + other) % len(alive)])
        case "suspend" | "reinstate":
            await world.account(one, suspended=kind == "suspend")
        case "drop":
            await world.timelines.drop(one)
        case "look":
            await read_page(world.services(), one, limit=other)
        case _ if one != other and kind in RELATIONS:
            await world.relate(one, other, **RELATIONS[kind])


RELATIONS: dict[str, dict[str, Any]] = {
    "follow": {"follows": "active"},
    "unfollow": {"follows": "none"},
    "block": {"blocks": True},
    "unblock": {"blocks": False},
    "mute": {"mutes": True},
    "unmute": {"mutes": False},
}


async def likes_shown(world: World) -> dict[int, tuple[int, bool]]:
    return {int(item.id): (item.counts.likes, item.viewer.liked) for item in (await feed_body(world)).items}


async def feed_body(world: World, **query: Any) -> FeedPage:
    answer = await home_feed(world.services(), Call({}, query=ListQuery(**query), viewer_id=VIEWER))
    return msgspec.json.decode(answer.body, type=FeedPage)


@pytest.mark.parametrize("behind_ms", [0, 120_000, 3_600_000])
async def test_a_like_whose_entry_was_lost_is_seen_though_a_gateways_clock_is_behind(behind_ms: int) -> None:
    world = await world_of(ALICE)
    right_ms = world.services().clock_ms()
    world.ids = count(first_snowflake(right_ms - 30_000))
    liked = await world.post(ALICE)
    await world.like(VIEWER, liked)
    await world.cache.drop([likes_key(VIEWER)])
    await world.post(ALICE)
    await feed_page(replace(world.services(), clock_ms=lambda: right_ms - behind_ms), VIEWER, TOP, 1)
    assert (await cards_of(world.services()))[liked][0] is True


async def test_a_like_whose_entry_was_lost_is_seen_after_a_clock_stepped_back() -> None:
    world = await world_of(ALICE)
    clock_ms = [world.services().clock_ms()]
    source = SnowflakeSource(1, lambda: clock_ms[0])
    source.next()
    world.ids = iter(source.next, None)
    clock_ms[0] -= 3_600_000
    liked = await world.post(ALICE)
    await world.like(VIEWER, liked)
    await world.cache.drop([likes_key(VIEWER)])
    await world.post(ALICE)
    await feed_page(replace(world.services(), clock_ms=lambda: clock_ms[0]), VIEWER, TOP, 1)
    assert (await cards_of(world.services()))[liked][0] is True
