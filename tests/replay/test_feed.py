"""Every feed against a naive world: posts, follows, blocks, mutes, privacy, deletions, deaths, losses and readers."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from gateway import author_posts
from projections import follower_heads
from projections.feed import Place
from schemas import events as e
from streams.publication import ReachRule
from tests.replay import actions
from tests.replay.feed_world import FeedWorld
from tests.unit.streams.scenario import account, follow, post, ready

CHANGES: tuple[Callable[[int], e.Event], ...] = (
    lambda person: e.PrivacyChanged(account_id=person, private=True),
    lambda person: e.PrivacyChanged(account_id=person, private=False),
    lambda person: e.AccountSuspended(account_id=person, reason="spam", operator="op"),
    lambda person: e.AccountReinstated(account_id=person, operator="op"),
    lambda person: e.AccountVerified(account_id=person, operator="op"),
    lambda person: e.AccountUnverified(account_id=person, operator="op"),
)
people = st.sampled_from(actions.PEOPLE)
seeds = st.integers(0, 10_000)
rules = st.builds(
    ReachRule,
    celebrity_followers=st.integers(1, 4),
    return_percent=st.sampled_from([1, 50, 100]),
    chunk_followers=st.sampled_from([1, 2, 1_000]),
)
"""Thresholds that a few follows cross, and fan-outs of one to four chunks."""


@dataclass(slots=True)
class Reading:
    """Somebody pages through their feed while the world goes on.

    Args:
        limit: posts on a page.
        must: what was there when they began, and was visible to them all the time since.
        before: where the next page begins.
        ids: what they saw.
    """

    limit: int
    must: set[int]
    before: Place | None = None
    ids: list[int] = field(default_factory=list)


class FeedMachine(RuleBasedStateMachine):
    """Whatever happens, settled feeds are the naive ones, and nobody misses or repeats a post while paging."""

    def __init__(self) -> None:
        super().__init__()
        # Few rows at first, so that authors of many posts are read on, as in a large world.
        self.patches = [
            patch.object(author_posts, "_ROWS_FIRST", 1),
            patch.object(author_posts, "_GROWTH", 2),
            patch.object(follower_heads, "HEAD_FOLLOWERS_MAX", 1),
        ]
        for patched in self.patches:
            patched.start()
        self.runner = asyncio.Runner()
        self.world = FeedWorld()
        self.posts: list[tuple[int, int]] = []
        self.readings: dict[int, Reading] = {}
        self.world.log.watcher = self._appended

    @initialize(follows=st.sets(actions.pairs, max_size=8), opened=st.sets(people), rule=rules)
    def everyone_signs_up(self, follows: set[tuple[int, int]], opened: set[int], rule: ReachRule) -> None:
        self.world.reach = rule
        for person in actions.PEOPLE:
            self.world.append(account(person))
        for follower_id, followee_id in sorted(follows):
            self.world.append(follow(follower_id, followee_id))
        self.runner.run(self.world.settle())
        for viewer in sorted(opened):
            self.runner.run(self.world.page(viewer, None, 3))

    @rule(follows=st.lists(actions.pairs, min_size=1, max_size=3))
    def people_follow(self, follows: list[tuple[int, int]]) -> None:
        for follower_id, followee_id in follows:
            self.world.append(follow(follower_id, followee_id))

    @rule(event=actions.graph_events)
    def people_meet_and_part(self, event: e.Event) -> None:
        self.world.append(event)

    @rule(owners=st.lists(people, min_size=1, max_size=6), passes_ms=st.integers(0, 2), back=st.booleans())
    def people_post(self, owners: list[int], passes_ms: int, back: bool) -> None:
        """A photograph may be ready before its post is made, or after. Several posts share an instant."""
        self.world.now_ms += passes_ms
        for owner_id in owners:
            post_id = 1_000 + len(self.posts)
            self.posts.append((post_id, owner_id))
            made: list[e.Event] = [post(post_id, owner_id, post_id), ready(post_id, owner_id)]
            for event in reversed(made) if back else made:
                self.world.append(event)

    @rule(which=st.integers(0, 10_000))
    def a_post_is_deleted(self, which: int) -> None:
        if self.posts:
            post_id, owner_id = self.posts[which % len(self.posts)]
            self.world.append(e.PostDeleted(post_id=post_id, owner_id=owner_id))

    @rule(event=st.one_of(*(st.builds(changed, people) for changed in CHANGES)))
    def an_account_changes(self, event: e.Event) -> None:
        self.world.append(event)

    @rule(
        seed=seeds,
        size=st.integers(1, 6),
        deaths=st.lists(st.none() | st.integers(0, 12), max_size=4),
        readers=st.lists(people, max_size=3),
        returning=st.booleans(),
        hurried=st.booleans(),
    )
    def jobs_work_while_people_read(
        self, seed: int, size: int, deaths: list[int | None], readers: list[int], returning: bool, hurried: bool
    ) -> None:
        """A reader who returns after a long time has no timeline: it is filled while the jobs write to it.

        One who waits for no rows leaves the fill to go on behind them.
        """
        self.world.chaos.seed(seed)
        for reader in readers if returning else ():
            self.runner.run(self.world.memory[1].drop(reader))
        self.runner.run(self.world.work(size, deaths, readers, hurried))

    @rule()
    def redis_goes_away_from_the_readers_or_comes_back(self) -> None:
        self.world.redis_away = not self.world.redis_away

    @rule(viewer=people, kind=st.sampled_from(["redis", "cache", "timeline", "recent", "workers"]))
    def something_is_lost(self, viewer: int, kind: str) -> None:
        """What Redis held, one reader's timeline, or all processes."""
        _, timelines, cache, recent = self.world.memory
        match kind:
            case "redis":
                # Positions stand in the same engine: whatever loses them loses all the rest.
                for lost in (timelines, cache, recent):
                    lost.flush()
            case "cache":
                cache.flush()
            case "recent":
                recent.flush()
            case "timeline":
                self.runner.run(timelines.drop(viewer))
            case "workers":
                self.world.restart()

    @rule(changed=rules)
    def settings_change(self, changed: ReachRule) -> None:
        """Workers start again with another threshold, another hysteresis, other chunks."""
        self.world.reach = changed
        self.world.restart()

    @rule()
    def redis_is_backed_up(self) -> None:
        self.runner.run(self.world.back_up())

    @rule()
    def redis_is_restored(self) -> None:
        """Until the jobs have made up for it, nobody can be promised anything."""
        self.world.restore()
        self.readings.clear()

    @rule(viewer=people, limit=st.integers(1, 5), seed=seeds)
    def somebody_begins_to_read(self, viewer: int, limit: int, seed: int) -> None:
        self._settle(seed)
        self.readings[viewer] = Reading(limit, set(self.world.expected(viewer)))
        self.somebody_reads_on(viewer)

    @rule(viewer=people, hurried=st.booleans())
    def somebody_reads_on(self, viewer: int, hurried: bool = False) -> None:
        """Also while jobs lag behind, and where time is over before the rows were read."""
        reading = self.readings.get(viewer)
        if reading is None:
            return
        ids, before = self.runner.run(self.world.page(viewer, reading.before, reading.limit, hurried))
        reading.ids += ids
        assert len(set(reading.ids)) == len(reading.ids), "a post was shown twice"
        goes_on = before is None or reading.before is None or before < reading.before
        assert goes_on or (hurried and before == reading.before), "paging does not go on"
        reading.before = before
        if before is None:
            assert reading.must <= set(reading.ids), "a post was skipped"
            del self.readings[viewer]

    @rule(seed=seeds, limit=st.integers(1, 6))
    def feeds_are_right(self, seed: int, limit: int) -> None:
        """Twice: from whatever is cached, and from what the first look left."""
        self._settle(seed)
        for viewer in actions.PEOPLE:
            for _ in range(2):
                assert self.runner.run(self.world.feed(viewer, limit)) == self.world.expected(viewer)
            shown, published = self.runner.run(self.world.recent_of(viewer, limit))
            assert shown == published

    def teardown(self) -> None:
        """The rest is folded and read; then once more from the rows alone."""
        try:
            for viewer in list(self.readings):
                while viewer in self.readings:
                    self.somebody_reads_on(viewer)
            self.feeds_are_right(seed=0, limit=2)
            _, timelines, cache, recent = self.world.memory
            for lost in (timelines, cache, recent):
                lost.flush()
            self.feeds_are_right(seed=0, limit=3)
        finally:
            self.runner.close()
            for patched in self.patches:
                patched.stop()

    def _settle(self, seed: int) -> None:
        """All is folded, and every post whose photograph is ready was published, unless it was deleted before."""
        self.world.chaos.seed(seed)
        self.runner.run(self.world.settle())
        assert self.world.waiting() == []
        assert self.world.unanswered() == []

    def _appended(self) -> None:
        """Whatever stands in the log now, also by the jobs, may have taken something out of a feed."""
        for viewer, reading in self.readings.items():
            reading.must &= set(self.world.expected(viewer))


TestFeed = FeedMachine.TestCase
TestFeed.settings = settings(max_examples=40, stateful_step_count=40)


async def test_an_author_of_pulled_posts_is_remembered_though_others_fill_the_timeline() -> None:
    viewer, celebrity, other, fan = actions.PEOPLE
    world = FeedWorld()
    for person in actions.PEOPLE:
        world.append(account(person))
    for event in (follow(viewer, celebrity), follow(fan, celebrity), follow(viewer, other)):
        world.append(event)
    await world.settle()
    for post_id, author in enumerate((celebrity, other, other, other, other, other), start=1):
        world.now_ms += 1
        world.append(post(post_id, author, post_id))
        world.append(ready(post_id, author))
        await world.settle()
    assert await world.feed(viewer, 2) == [6, 5, 4, 3, 2, 1]
    world.now_ms += 1
    world.append(post(7, celebrity, 7))
    world.append(ready(7, celebrity))
    await world.settle()
    assert await world.feed(viewer, 2) == world.expected(viewer) == [7, 6, 5, 4, 3, 2, 1]


async def test_a_redis_that_comes_back_from_an_older_snapshot_is_brought_up_to_date() -> None:
    """What it lacks came in each way: by fan-out, by a follow, by a post of one's own, by a block."""
    viewer, author, newly_followed, blocked = actions.PEOPLE
    world = FeedWorld()

    async def happen(*events: e.Event) -> None:
        for event in events:
            world.append(event)
            world.now_ms += 1
        await world.settle()

    await happen(*(account(person) for person in actions.PEOPLE))
    await happen(follow(viewer, author), follow(viewer, blocked))
    for post_id, owner in enumerate((author, newly_followed, blocked), start=1):
        await happen(post(post_id, owner, post_id), ready(post_id, owner))
    assert await world.feed(viewer, 2) == [3, 1]
    await world.back_up()
    await happen(follow(viewer, newly_followed), e.AccountBlocked(blocker_id=viewer, blocked_id=blocked))
    for post_id, owner in enumerate((author, viewer), start=4):
        await happen(post(post_id, owner, post_id), ready(post_id, owner))
    assert await world.feed(viewer, 2) == world.expected(viewer) == [5, 4, 2, 1]
    world.restore()
    assert await world.feed(viewer, 2) == [3, 1], "it was not restored"
    await world.settle()
    assert await world.feed(viewer, 2) == world.expected(viewer)


@pytest.mark.parametrize("batch", [1, 100], ids=["one by one", "all at once"])
async def test_pulled_posts_are_found_again_when_the_pushed_ones_above_them_are_deleted(batch: int) -> None:
    viewer, celebrity, fan, _ = actions.PEOPLE
    world = FeedWorld()

    async def happen(*events: e.Event) -> None:
        for event in events:
            world.append(event)
        world.now_ms += 1
        await world.settle(batch)

    await happen(*(account(person) for person in actions.PEOPLE))
    await happen(follow(viewer, celebrity), follow(fan, celebrity))
    await happen(post(1, celebrity, 1), ready(1, celebrity))
    await happen(e.FollowDeleted(follower_id=fan, followee_id=celebrity))
    pushed = range(2, 9)
    for post_id in pushed:
        await happen(post(post_id, celebrity, post_id), ready(post_id, celebrity))
    assert await world.feed(viewer, 2) == [*reversed(pushed), 1]
    await happen(*(e.PostDeleted(post_id=post_id, owner_id=celebrity) for post_id in pushed))
    await happen(follow(fan, celebrity))
    await happen(post(9, celebrity, 9), ready(9, celebrity))
    assert await world.feed(viewer, 2) == world.expected(viewer) == [9, 1]
