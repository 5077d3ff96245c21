"""Whatever the interleaving of posts, fan-out, fills, drops and flushes: above its mark, a timeline is what was posted.

The model is naive: rows are a list of all posts, a delivery is due to every account for each post, and a fill reads
the rows when it likes, any time after it opened. A post whose delivery is still due may or may not be there.
"""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.stores.port import Delivery, TimelineEntry, TimelineStore
from tests.contract.sample_tables import fresh_id
from tests.contract.test_timeline_stores import subject  # noqa: F401  # a fixture
from tests.contract.timeline_subjects import CAP, TimelineSubject, entry

_FILLS = 3
Step = tuple[str, int]


@dataclass
class _Fill:
    opened: str
    read: list[TimelineEntry] | None = None
    low_mark_ms: int = 0


@dataclass
class _World:
    """One account's timeline, and what the rows say should be in it."""

    store: TimelineStore
    account_id: int
    rows: list[TimelineEntry] = field(default_factory=list)
    due: list[TimelineEntry] = field(default_factory=list)
    fills: list[_Fill | None] = field(default_factory=lambda: [None] * _FILLS)

    async def take(self, kind: str, number: int) -> None:
        match kind:
            case "post":
                # Publication times are not in the order of the log: clocks differ, and ties happen.
                posted = entry(1 + (len(self.rows) + number) // 2, len(self.rows) + 1)
                self.rows.append(posted)
                self.due.append(posted)
            case "deliver" if self.due:
                await self._deliver(self.due.pop(number % len(self.due)))
            case "deliver-again" if self.rows:
                delivered = [posted for posted in self.rows if posted not in self.due]
                if delivered:
                    await self._deliver(delivered[number % len(delivered)])
            case "open":
                self.fills[number % _FILLS] = _Fill(await self.store.open(self.account_id))
            case "read":
                self._read(self.fills[number % _FILLS])
            case "merge":
                await self._merge(self.fills[number % _FILLS])
            case "drop":
                await self.store.drop(self.account_id)

    async def check(self) -> None:
        page = await self.store.page(self.account_id, before=None, limit=1_000)
        above = {posted for posted in self.rows if posted.published_ms > page.low_mark_ms}
        assert list(page.entries) == sorted(set(page.entries), reverse=True)
        assert set(page.entries) <= set(self.rows)
        assert above - set(self.due) <= set(page.entries)

    async def _deliver(self, posted: TimelineEntry) -> None:
        await self.store.deliver([Delivery(posted, (self.account_id,))])

    def _read(self, fill: _Fill | None) -> None:
        if fill is not None and fill.read is None:
            newest = sorted(self.rows, reverse=True)
            fill.read = newest[:CAP]
            fill.low_mark_ms = newest[CAP].published_ms if len(newest) > CAP else 0

    async def _merge(self, fill: _Fill | None) -> None:
        if fill is not None and fill.read is not None:
            await self.store.merge(self.account_id, fill.read, low_mark_ms=fill.low_mark_ms, opened=fill.opened)


_kinds = ("post", "post", "post", "deliver", "deliver", "deliver-again", "open", "read", "merge", "merge", "drop")
_steps = st.lists(st.tuples(st.sampled_from(_kinds), st.integers(0, 30)), max_size=120)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=_steps)
async def test_any_interleaving_ends_in_what_was_posted(
    subject: TimelineSubject,  # noqa: F811
    steps: list[Step],
) -> None:
    world = _World(subject.store, fresh_id())
    for kind, number in steps:
        await world.take(kind, number)
        await world.check()
    while world.due:
        await world.take("deliver", 0)
    await world.take("open", 0)
    await world.take("read", 0)
    await world.take("merge", 0)
    await world.check()


async def test_a_fill_races_with_fan_out(subject: TimelineSubject) -> None:  # noqa: F811
    """Really at once: every post is delivered while fills of many accounts run."""
    accounts = [fresh_id() for _ in range(30)]
    posts = [entry(published_ms) for published_ms in range(1, CAP + 1)]
    written: list[TimelineEntry] = []

    async def publish() -> None:
        for posted in posts:
            written.append(posted)
            await subject.store.deliver([Delivery(posted, tuple(accounts))])

    async def fill(account_id: int, place: int) -> None:
        for _ in range(place % 7):
            await asyncio.sleep(0)
        opened = await subject.store.open(account_id)
        read = list(written)
        await asyncio.sleep(0)
        await subject.store.merge(account_id, read, low_mark_ms=0, opened=opened)

    await asyncio.gather(publish(), *(fill(account_id, place) for place, account_id in enumerate(accounts)))
    for account_id in accounts:
        page = await subject.store.page(account_id, before=None, limit=100)
        assert page.entries == tuple(reversed(posts))


@pytest.mark.parametrize("lost", ["drop", "flush"])
async def test_a_timeline_lost_during_a_fill_is_not_called_complete(subject: TimelineSubject, lost: str) -> None:  # noqa: F811
    account = fresh_id()
    first = await subject.store.open(account)
    await subject.store.deliver([Delivery(entry(5), (account,))])
    await (subject.flush() if lost == "flush" else subject.store.drop(account))
    second = await subject.store.open(account)
    await subject.store.merge(account, [], low_mark_ms=0, opened=first)
    page = await subject.store.page(account, before=None, limit=10)
    assert page.low_mark_ms > 5
    await subject.store.merge(account, [entry(5)], low_mark_ms=0, opened=second)
    page = await subject.store.page(account, before=None, limit=10)
    assert (page.entries, page.low_mark_ms) == ((entry(5),), 0)
