"""Growing a topic, a step at a time, with a death before and after each."""

from collections.abc import Sequence
from typing import Any

import pytest

from photolog.errors import Conflict, LogUnavailable
from photolog.log.growing import Growing, Patience
from photolog.log.growth import Growth
from photolog.log.growths import GrowthRow, history_of


class Death(Exception):
    """Stands for SIGKILL."""


class MemoryLedger:
    """The record of growths in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[int, GrowthRow] = {}

    async def rows(self, topic: str, *, serial: bool = False) -> list[GrowthRow]:
        return [self.kept[epoch] for epoch in sorted(self.kept)]

    async def begin(self, topic: str, row: GrowthRow) -> bool:
        if row.epoch in self.kept:
            return False
        self.kept[row.epoch] = GrowthRow(row.epoch, row.before, row.after, "fenced")
        return True

    async def cut(self, topic: str, epoch: int, cuts: Sequence[int]) -> bool:
        return self._move(epoch, "fenced", "cut", tuple(cuts))

    async def done(self, topic: str, epoch: int) -> bool:
        return self._move(epoch, "cut", "done", self.kept[epoch].cuts)

    async def abandon(self, topic: str, epoch: int) -> bool:
        if epoch in self.kept and self.kept[epoch].state == "fenced":
            del self.kept[epoch]
            return True
        return False

    def _move(self, epoch: int, before: str, after: Any, cuts: tuple[int, ...]) -> bool:
        row = self.kept.get(epoch)
        if row is None or row.state != before:
            return False
        self.kept[epoch] = GrowthRow(row.epoch, row.before, row.after, after, cuts)
        return True


class MemoryBroker:
    """A topic whose people append at any moment, by the number of partitions that they know."""

    def __init__(self) -> None:
        self.records = [7, 0, 3, 9]
        self.fenced = False
        self.limit: str | None = None
        self.producers_know = 4
        self.strays = 0

    def people_append(self) -> None:
        """One record into each partition that they know of, if they may."""
        if not self.fenced:
            self.records[: self.producers_know] = [count + 1 for count in self.records[: self.producers_know]]
            self.strays += self.producers_know != len(self.records)

    async def partitions(self) -> int:
        return len(self.records)

    async def ends(self) -> tuple[int, ...]:
        return tuple(self.records)

    async def own_limit(self) -> str | None:
        return self.limit

    async def fence(self) -> None:
        self.fenced = True

    async def lift(self) -> None:
        self.fenced = False

    async def add(self, partitions: int) -> None:
        self.records += [0] * (partitions - len(self.records))


class Mortal:
    """Lets a call through until its number comes up; then whoever calls dies, before the call or behind it."""

    def __init__(self, inner: Any, world: "World") -> None:
        self._inner = inner
        self._world = world

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)

        async def mortal(*arguments: Any, **options: Any) -> Any:
            self._world.turn()
            answer = await call(*arguments, **options)
            self._world.turn()
            return answer

        return mortal


class World:
    """One topic, its record of growths, and the people who append to it all the while."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.ledger = MemoryLedger()
        self.lag = 0
        self.now = 0.0
        self.steps: list[str] = []
        self.turns_left: int | None = None

    def turn(self) -> None:
        """Time passes: people append, and the operator may die."""
        self.broker.people_append()
        if self.turns_left is not None:
            self.turns_left -= 1
            if self.turns_left < 0:
                raise Death

    async def sleep(self, seconds: float) -> None:
        """Time enough for producers to learn how many partitions there are."""
        self.now += seconds
        self.turn()
        if seconds >= 10:
            self.broker.producers_know = len(self.broker.records)

    def growing(self, partitions: int = 6) -> Growing:
        async def lag() -> int:
            return self.lag

        return Growing(
            "likes",
            partitions,
            Mortal(self.broker, self),
            Mortal(self.ledger, self),
            lag,
            lambda step, detail: self.steps.append(step),
            Patience(),
            self.sleep,
            lambda: self.now,
        )


@pytest.fixture
def world() -> World:
    return World()


async def test_a_topic_grows_behind_a_fence(world: World) -> None:
    row = await world.growing().run()
    assert world.steps == ["drain", "fence", "cut", "add", "settle", "lift"]
    assert (row.state, row.before, row.after) == ("done", 4, 6)
    assert not world.broker.fenced
    assert world.broker.strays == 0, "nobody appended by the old count once there were more"
    cuts = row.cuts
    assert history_of([row]) == (Growth(4, 6, cuts),)
    world.broker.people_append()
    assert len(world.broker.records) == 6
    assert world.broker.records[5] > 0


async def test_whoever_dies_at_any_call_is_gone_on_for_by_the_next(world: World) -> None:
    deaths = 0
    for turns in range(200):
        mortal = World()
        mortal.turns_left = turns
        try:
            await mortal.growing().run()
        except Death:
            deaths += 1
        mortal.turns_left = None
        mortal.steps.clear()
        try:
            row = await mortal.growing().run()
        except Conflict:  # it is done already
            row = mortal.ledger.kept[1]
        assert row.state == "done"
        assert len(mortal.broker.records) == 6
        assert not mortal.broker.fenced
        assert mortal.broker.strays == 0
        assert all(cut <= end for cut, end in zip(row.cuts, mortal.broker.records, strict=False))
        if turns > deaths:
            break
    assert deaths > 20


async def test_the_cuts_are_what_was_appended_before_the_fence(world: World) -> None:
    row = await world.growing().run()
    old = world.broker.records[:4]
    await world.broker.fence()
    assert row.cuts != tuple(old), "people went on behind the growth"
    assert all(cut < end for cut, end in zip(row.cuts, old, strict=True))


async def test_jobs_that_do_not_come_near_the_end_keep_it_from_beginning(world: World) -> None:
    world.lag = 1_001
    with pytest.raises(Conflict, match="1001 records behind"):
        await world.growing().run()
    assert (world.ledger.kept, world.broker.fenced, len(world.broker.records)) == ({}, False, 4)


async def test_an_error_before_the_cut_opens_the_topic_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away() -> tuple[int, ...]:
        raise LogUnavailable("away")

    monkeypatch.setattr(world.broker, "ends", away)
    with pytest.raises(LogUnavailable):
        await world.growing().run()
    assert (world.ledger.kept, world.broker.fenced) == ({}, False)


@pytest.mark.parametrize("partitions", [2, 3, 4])
async def test_a_topic_never_shrinks(world: World, partitions: int) -> None:
    with pytest.raises(Conflict, match="only grows"):
        await world.growing(partitions).run()


async def test_two_growths_do_not_run_at_once(world: World) -> None:
    await world.ledger.begin("likes", GrowthRow(1, 4, 6, "planned"))
    with pytest.raises(Conflict, match="growing to 6"):
        await world.growing(8).run()


async def test_partitions_that_somebody_else_added_are_not_passed_over(world: World) -> None:
    await world.growing().run()
    await world.broker.add(7)
    with pytest.raises(Conflict, match="other means"):
        await world.growing(8).run()


async def test_a_limit_that_somebody_set_is_not_lost(world: World) -> None:
    world.broker.limit = "2000000"
    with pytest.raises(Conflict, match=r"max\.message\.bytes"):
        await world.growing().run()
    assert not world.broker.fenced


async def test_a_plan_changes_nothing(world: World) -> None:
    row = await world.growing().plan()
    assert row == GrowthRow(1, 4, 6, "planned")
    assert (world.ledger.kept, world.broker.fenced) == ({}, False)


async def test_it_may_grow_again(world: World) -> None:
    await world.growing(6).run()
    row = await world.growing(9).run()
    assert (row.epoch, row.before, row.after, len(row.cuts)) == (2, 6, 9, 6)
