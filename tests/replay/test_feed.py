"""Every feed against a naive world: posts, follows, blocks, mutes, privacy, deletions, deaths, losses and readers."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from projections.feed import Place
from schemas import events as e
from tests.replay import actions
from tests.replay.feed_world import FeedWorld
from tests.unit.streams.scenario import account, follow, post, ready

people = st.sampled_from(actions.PEOPLE)
seeds = st.integers(0, 10_000)


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
        self.runner = asyncio.Runner()
        self.world = FeedWorld()
        self.posts: list[tuple[int, int]] = []
        self.readings: dict[int, Reading] = {}

    @initialize(follows=st.sets(actions.pairs, max_size=8), opened=st.sets(people))
    def everyone_signs_up(self, follows: set[tuple[int, int]], opened: set[int]) -> None:
        for person in actions.PEOPLE:
            self.world.append(account(person))
        for follower_id, followee_id in sorted(follows):
            self._happens(e.FollowCreated(follower_id=follower_id, followee_id=followee_id, wanted_status="active"))
        self.runner.run(self.world.settle())
        for viewer in sorted(opened):
            self.runner.run(self.world.page(viewer, None, 3))

    @rule(event=actions.graph_events)
    def people_meet_and_part(self, event: e.Event) -> None:
        self._happens(event)

    @rule(owners=st.lists(people, min_size=1, max_size=6), passes_ms=st.integers(0, 2), back=st.booleans())
    def people_post(self, owners: list[int], passes_ms: int, back: bool) -> None:
        """A photograph may be ready before its post is made, or after. Several posts share an instant."""
        self.world.now_ms += passes_ms
        for owner_id in owners:
            post_id = 1_000 + len(self.posts)
            self.posts.append((post_id, owner_id))
            made: list[e.Event] = [post(post_id, owner_id, post_id), ready(post_id, owner_id)]
            for event in reversed(made) if back else made:
                self._happens(event)

    @rule(which=st.integers(0, 10_000))
    def a_post_is_deleted(self, which: int) -> None:
        if self.posts:
            post_id, owner_id = self.posts[which % len(self.posts)]
            self._happens(e.PostDeleted(post_id=post_id, owner_id=owner_id))

    @rule(person=people, private=st.booleans())
    def privacy_changes(self, person: int, private: bool) -> None:
        self._happens(e.PrivacyChanged(account_id=person, private=private))

    @rule(person=people, suspended=st.booleans())
    def an_operator_acts(self, person: int, suspended: bool) -> None:
        if suspended:
            self._happens(e.AccountSuspended(account_id=person, reason="spam", operator="op"))
        else:
            self._happens(e.AccountReinstated(account_id=person, operator="op"))

    @rule(
        seed=seeds,
        size=st.integers(1, 6),
        deaths=st.lists(st.none() | st.integers(0, 12), max_size=4),
        readers=st.lists(people, max_size=3),
    )
    def jobs_work_while_people_read(self, seed: int, size: int, deaths: list[int | None], readers: list[int]) -> None:
        self.world.chaos.seed(seed)
        self.runner.run(self.world.work(size, deaths, readers))

    @rule(viewer=people, kind=st.sampled_from(["timelines", "cache", "timeline", "workers"]))
    def something_is_lost(self, viewer: int, kind: str) -> None:
        """What Redis held, one reader's timeline, or all processes."""
        _, timelines, cache = self.world.memory
        match kind:
            case "timelines":
                timelines.flush()
            case "cache":
                cache.flush()
            case "timeline":
                self.runner.run(timelines.drop(viewer))
            case "workers":
                self.world.restart()

    @rule(viewer=people, limit=st.integers(1, 5), seed=seeds)
    def somebody_begins_to_read(self, viewer: int, limit: int, seed: int) -> None:
        self._settle(seed)
        self.readings[viewer] = Reading(limit, set(self.world.expected(viewer)))
        self.somebody_reads_on(viewer)

    @rule(viewer=people)
    def somebody_reads_on(self, viewer: int) -> None:
        """Also while jobs lag behind."""
        reading = self.readings.get(viewer)
        if reading is None:
            return
        ids, before = self.runner.run(self.world.page(viewer, reading.before, reading.limit))
        reading.ids += ids
        assert len(set(reading.ids)) == len(reading.ids), "a post was shown twice"
        assert before is None or reading.before is None or before < reading.before, "paging does not go on"
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

    def teardown(self) -> None:
        """The rest is folded and read; then once more from the rows alone."""
        try:
            for viewer in list(self.readings):
                while viewer in self.readings:
                    self.somebody_reads_on(viewer)
            self.feeds_are_right(seed=0, limit=2)
            _, timelines, cache = self.world.memory
            timelines.flush()
            cache.flush()
            self.feeds_are_right(seed=0, limit=3)
        finally:
            self.runner.close()

    def _settle(self, seed: int) -> None:
        self.world.chaos.seed(seed)
        self.runner.run(self.world.settle())

    def _happens(self, event: e.Event) -> None:
        self.world.append(event)
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
