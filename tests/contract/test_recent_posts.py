"""What every cache of recent posts must do."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.posts import PUBLISHED_POSTS, PublishedPostRow
from projections.stores.memory_recent import MemoryRecent
from projections.stores.memory_rows import MemoryRows
from projections.stores.port import RecentChange, RecentPosts, TimelineEntry
from projections.stores.recent_reading import RECENT_ENTRIES, fill_recent, recent_stretches
from projections.stores.redis_recent import RedisRecent
from projections.writes import Positioned, put
from tests.contract.sample_tables import fresh_id

CAP = 10
LIFE_MS = 600
BIG = (1 << 62) + 1  # far above 2^53, where Lua's numbers lose digits


@dataclass(frozen=True, slots=True)
class RecentSubject:
    store: RecentPosts
    brief: RecentPosts
    wait: Callable[[int], Awaitable[None]]


def _memory_subject() -> RecentSubject:
    now_ms = [0]

    async def wait(period_ms: int) -> None:
        now_ms[0] += period_ms

    stores = [MemoryRecent(CAP, life_ms, lambda: now_ms[0]) for life_ms in (60_000, LIFE_MS)]
    return RecentSubject(stores[0], stores[1], wait)


@pytest.fixture(
    params=[
        "memory",
        pytest.param("node_client", marks=pytest.mark.integration),
        pytest.param("cluster_client", marks=pytest.mark.integration),
    ]
)
def subject(request: pytest.FixtureRequest) -> RecentSubject:
    if request.param == "memory":
        return _memory_subject()

    async def wait(period_ms: int) -> None:
        await asyncio.sleep(period_ms / 1_000)

    client = request.getfixturevalue(request.param)
    return RecentSubject(RedisRecent(client, CAP, 60_000), RedisRecent(client, CAP, LIFE_MS), wait)


def entry(author: int, published_ms: int, post_id: int | None = None, pull: bool = True) -> TimelineEntry:
    return TimelineEntry(published_ms, published_ms if post_id is None else post_id, author, pull)


def posted(place: TimelineEntry, version: int) -> RecentChange:
    return RecentChange(place, version, there=True)


def deleted(place: TimelineEntry, version: int) -> RecentChange:
    return RecentChange(place, version, there=False)


async def filled(store: RecentPosts, author: int, *entries: TimelineEntry, low_mark_ms: int = 0) -> None:
    (opened,) = await store.open([author])
    await store.fill(author, entries, low_mark_ms=low_mark_ms, opened=opened)


async def shown(store: RecentPosts, author: int, before: TimelineEntry | None = None, limit: int = 100) -> list[int]:
    (page,) = await store.read([author], before=before, limit=limit)
    assert page is not None
    return [item.post_id for item in page.entries]


async def test_an_author_of_whom_nothing_is_kept_is_to_be_filled(subject: RecentSubject) -> None:
    author = fresh_id()
    assert await subject.store.read([author], before=None, limit=10) == [None]
    assert await subject.store.record([posted(entry(author, 5), 1)]) == [author]
    assert await subject.store.read([author], before=None, limit=10) == [None]
    assert await subject.store.read([], before=None, limit=10) == []
    assert await subject.store.record([]) == []


async def test_what_is_filled_is_read_newest_first_for_many_authors_at_once(subject: RecentSubject) -> None:
    authors = [fresh_id() for _ in range(60)]
    for author in authors:
        await filled(subject.store, author, entry(author, 5, BIG), entry(author, 7, 2, pull=False))
    pages = await subject.store.read([*reversed(authors), fresh_id()], before=None, limit=10)
    assert pages[-1] is None
    for author, page in zip(reversed(authors), pages, strict=False):
        assert page is not None
        assert (page.entries, page.low_mark_ms) == ((entry(author, 7, 2, pull=False), entry(author, 5, BIG)), 0)


async def test_reading_goes_on_behind_a_place_of_the_same_instant(subject: RecentSubject) -> None:
    author = fresh_id()
    places = [entry(author, 5, post_id) for post_id in range(1, 6)] + [entry(author, 4, 9)]
    await filled(subject.store, author, *places)
    first = await shown(subject.store, author, limit=2)
    rest = await shown(subject.store, author, before=TimelineEntry(5, 4, 0), limit=3)
    assert (first, rest) == ([5, 4], [3, 2, 1])
    assert await shown(subject.store, author, before=TimelineEntry(5, 1, 0), limit=3) == [9]


async def test_a_new_post_and_a_deletion_are_taken(subject: RecentSubject) -> None:
    author = fresh_id()
    await filled(subject.store, author, entry(author, 5))
    assert await subject.store.record([posted(entry(author, 6), 10), posted(entry(author, 7), 11)]) == []
    assert await subject.store.record([deleted(entry(author, 6), 12)]) == []
    assert await shown(subject.store, author) == [7, 5]


async def test_an_older_change_is_passed_over(subject: RecentSubject) -> None:
    author = fresh_id()
    await filled(subject.store, author)
    await subject.store.record([posted(entry(author, 6), 10)])
    await subject.store.record([deleted(entry(author, 6), 12)])
    await subject.store.record([posted(entry(author, 6), 10), posted(entry(author, 7), 11)])
    assert await shown(subject.store, author) == []


async def test_changes_during_a_fill_are_kept_and_a_deletion_is_not_undone_by_it(subject: RecentSubject) -> None:
    author = fresh_id()
    (opened,) = await subject.store.open([author])
    read = [entry(author, 5), entry(author, 6)]
    assert await subject.store.record([posted(entry(author, 7), 10), deleted(entry(author, 6), 11)]) == []
    assert await subject.store.read([author], before=None, limit=10) == [None]
    await subject.store.fill(author, read, low_mark_ms=0, opened=opened)
    assert await shown(subject.store, author) == [7, 5]
    (page,) = await subject.store.read([author], before=None, limit=10)
    assert page is not None
    assert page.low_mark_ms == 0


async def test_a_late_fill_changes_nothing(subject: RecentSubject) -> None:
    author = fresh_id()
    lives = [(await subject.store.open([author]))[0] for _ in range(2)]
    assert lives[0] == lives[1]
    late = [entry(author, 5)]
    await subject.store.fill(author, late, low_mark_ms=0, opened=lives[0])
    await subject.store.record([deleted(entry(author, 5), 10)])
    await subject.store.fill(author, late, low_mark_ms=0, opened=lives[1])
    assert await shown(subject.store, author) == []


async def test_a_fill_of_another_life_is_ignored(subject: RecentSubject) -> None:
    author = fresh_id()
    (opened,) = await subject.store.open([author])
    await subject.store.drop(author)
    await subject.store.fill(author, [entry(author, 5)], low_mark_ms=0, opened=opened)
    assert await subject.store.read([author], before=None, limit=10) == [None]
    (again,) = await subject.store.open([author])
    await subject.store.fill(author, [entry(author, 5)], low_mark_ms=0, opened=opened)
    assert (again != opened, await subject.store.read([author], before=None, limit=10)) == (True, [None])


async def test_trimming_raises_the_mark(subject: RecentSubject) -> None:
    author = fresh_id()
    await filled(subject.store, author, *(entry(author, at) for at in range(1, CAP + 1)))
    for version, at in enumerate(range(CAP + 1, 2 * CAP), start=1):
        await subject.store.record([posted(entry(author, at), version)])
        (page,) = await subject.store.read([author], before=None, limit=100)
        assert page is not None
        assert CAP <= len(page.entries) <= CAP * 1.1
        assert [item.post_id for item in page.entries] == list(range(at, page.low_mark_ms, -1))


async def test_what_is_below_the_mark_is_not_kept(subject: RecentSubject) -> None:
    author = fresh_id()
    await filled(subject.store, author, entry(author, 6), entry(author, 5), entry(author, 4), low_mark_ms=5)
    await subject.store.record([posted(entry(author, 3), 1), posted(entry(author, 5, 77), 2)])
    assert await shown(subject.store, author) == [6]


async def test_it_lives_for_a_fixed_time_whatever_happens(subject: RecentSubject) -> None:
    author = fresh_id()
    await filled(subject.brief, author)
    for version in range(3):
        await subject.wait(LIFE_MS // 4)
        await subject.brief.record([posted(entry(author, 5 + version), version)])
        await subject.brief.open([author])
    await subject.wait(LIFE_MS // 2)
    assert await subject.brief.read([author], before=None, limit=10) == [None]


_kinds = ("post", "post", "delete", "record", "record", "record-again", "open", "read", "fill", "fill", "drop")
_steps = st.lists(st.tuples(st.sampled_from(_kinds), st.integers(0, 30)), max_size=100)


@dataclass
class _World:
    """One author's posts, and what a job and two readers do to the cache of them."""

    store: RecentPosts
    author: int
    rows: set[TimelineEntry] = field(default_factory=set)
    changes: list[RecentChange] = field(default_factory=list)
    recorded: int = 0
    fills: list[tuple[str, list[TimelineEntry] | None] | None] = field(default_factory=lambda: [None, None])

    async def take(self, kind: str, number: int) -> None:
        place = number % 2
        fill = self.fills[place]
        match kind:
            case "post":
                made = entry(self.author, 1 + (len(self.changes) + number) // 2, 1 + len(self.changes))
                self.rows.add(made)
                self.changes.append(posted(made, len(self.changes)))
            case "delete" if self.rows:
                gone = sorted(self.rows)[number % len(self.rows)]
                self.rows.remove(gone)
                self.changes.append(deleted(gone, len(self.changes)))
            case "record":
                await self._record(self.changes[self.recorded : self.recorded + 1 + number % 3])
                self.recorded = min(len(self.changes), self.recorded + 1 + number % 3)
            case "record-again":
                await self._record(self.changes[max(0, self.recorded - number) : self.recorded])
            case "open":
                self.fills[place] = ((await self.store.open([self.author]))[0], None)
            case "read" if fill is not None and fill[1] is None:
                self.fills[place] = (fill[0], sorted(self.rows, reverse=True)[: CAP + 1])
            case "fill" if fill is not None and fill[1] is not None:
                mark = fill[1][-1].published_ms if len(fill[1]) > CAP else 0
                await self.store.fill(self.author, fill[1], low_mark_ms=mark, opened=fill[0])
            case "drop":
                await self.store.drop(self.author)

    async def check(self) -> None:
        """Above the mark, what is shown is the rows, but for changes that are not recorded yet."""
        (page,) = await self.store.read([self.author], before=None, limit=1_000)
        if page is None:
            return
        due = {change.entry for change in self.changes[self.recorded :]}
        above = {place for place in self.rows if place.published_ms > page.low_mark_ms}
        assert above - due <= set(page.entries)
        assert list(page.entries) == sorted(set(page.entries), reverse=True)

    async def _record(self, changes: list[RecentChange]) -> None:
        if changes:
            await self.store.record(changes)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=_steps)
async def test_any_interleaving_ends_in_what_is_published(subject: RecentSubject, steps: list[tuple[str, int]]) -> None:
    world = _World(subject.store, fresh_id())
    for kind, number in steps:
        await world.take(kind, number)
        await world.check()
    await world.take("drop", 0)
    for kind in ("open", "read", "fill"):
        await world.take(kind, 0)
    (page,) = await subject.store.read([world.author], before=None, limit=1_000)
    assert page is not None
    assert set(page.entries) == {place for place in world.rows if place.published_ms > page.low_mark_ms}


async def test_reading_through_fills_and_goes_on_in_the_rows_below_the_mark(subject: RecentSubject) -> None:
    rows = MemoryRows()
    busy, quiet, unheard = fresh_id(), fresh_id(), fresh_id()
    places = [(busy, at) for at in range(1, RECENT_ENTRIES + 30)] + [(quiet, 5)]
    await rows.apply([[Positioned(put(PUBLISHED_POSTS, _row(author, at)), at) for author, at in places]])
    newest = await recent_stretches(rows, subject.store, [busy, quiet, unheard], None, 4)
    assert [[item.post_id for item in stretch.entries] for stretch in newest] == [
        [RECENT_ENTRIES + 29 - back for back in range(4)],
        [5],
        [],
    ]
    assert [stretch.ended for stretch in newest] == [False, True, True]
    found: list[int] = []
    before = None
    while True:
        (stretch,) = await recent_stretches(rows, subject.store, [busy], before, 7)
        found += [item.post_id for item in stretch.entries]
        before = stretch.complete_from
        if stretch.ended:
            break
    assert found == list(range(RECENT_ENTRIES + 29, 0, -1))


async def test_once_filled_no_row_is_read(subject: RecentSubject) -> None:
    rows = MemoryRows()
    author = fresh_id()
    await rows.apply([[Positioned(put(PUBLISHED_POSTS, _row(author, at)), at) for at in range(1, 6)]])
    await fill_recent(rows, subject.store, [author])
    (stretch,) = await recent_stretches(MemoryRows(), subject.store, [author], None, 10)
    assert [item.post_id for item in stretch.entries] == [5, 4, 3, 2, 1]
    assert stretch.ended


def _row(author: int, at: int) -> PublishedPostRow:
    return PublishedPostRow(owner_id=author, published_ms=at, post_id=at, delivery="pull")
