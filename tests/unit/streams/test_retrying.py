"""Parking and retrying: a key's order survives its poison, and nothing is lost or counted twice whoever dies."""

import asyncio
from contextlib import suppress

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from photolog.log.record import EncodedRecord
from projections.likes import LIKES as LIKES_TABLE
from projections.stores.port import Source
from schemas import events as e
from schemas.topics import LIKES
from tests.unit.mortal import Killed
from tests.unit.streams.poison_world import PoisonWorld
from tests.unit.streams.river import PARTITIONS, encoded

ACTORS, POSTS = (1, 2, 3), (7, 8)


async def parked_world(bad: str = "folded") -> PoisonWorld:
    """One dead event, two parked behind it, and one of another key."""
    world = PoisonWorld()
    world.act(e.PostLiked(actor_id=1, post_id=7), bad=bad)
    world.act(e.PostUnliked(actor_id=1, post_id=7))
    world.act(e.PostLiked(actor_id=1, post_id=8))
    world.act(e.PostLiked(actor_id=2, post_id=7))
    await world.pump()
    return world


@pytest.mark.parametrize("bad", ["folded", "garbled"])
async def test_later_events_of_the_key_wait_and_a_retry_applies_all_of_them_in_order(bad: str) -> None:
    world = await parked_world(bad)
    (chain,) = await world.chains()
    assert [letter.is_parked for letter in chain.letters] == [False, True, True]
    assert await likers(world) == {(7, 2)}
    world.poison.cure()
    done = await world.retrying().retry(chain)
    assert (done.appended, done.settled, done.stopped_at) == (3, True, None)
    assert world.seen() == await world.rows_without_poison()
    assert await likers(world) == {(8, 1), (7, 2)}


async def test_the_retried_records_have_the_bytes_key_ids_and_time_of_the_originals() -> None:
    world = await parked_world()
    world.poison.cure()
    await world.retry_all()
    for original, again in zip(world.appended[:3], world.log.of(LIKES.name)[-3:], strict=True):
        assert (again.key, again.value, again.timestamp_ms) == (original.key, original.value, original.timestamp_ms)
        assert again.headers[: len(original.headers)] == original.headers


async def test_what_cannot_be_processed_now_is_refused_with_all_behind_it() -> None:
    world = await parked_world()
    records = len(world.log.of(LIKES.name))
    (chain,) = await world.chains()
    done = await world.retrying().retry(chain)
    assert (done.appended, done.stopped_at) == (0, chain.letters[0])
    assert done.reason.startswith("fold raised: RuntimeError")
    assert len(world.log.of(LIKES.name)) == records


async def test_a_retry_by_force_that_fails_again_is_the_same_letter_and_keeps_the_order() -> None:
    world = await parked_world("garbled")
    (chain,) = await world.chains()
    world.poison.garbled, world.poison.folded = set(), world.poison.garbled
    done = await world.retrying().retry(chain, force=True)
    assert (done.appended, done.settled, done.stopped_at and done.stopped_at.name) == (3, False, "likes/3/0")
    assert done.reason.startswith("fold raised")
    (left,) = await world.chains()
    assert [letter.name for letter in left.letters] == ["likes/3/0", "likes/3/1", "likes/3/2"]
    assert left.letters[0].failed_at != left.letters[0].origin
    assert await likers(world) == {(7, 2)}


async def test_what_arrives_during_a_retry_is_retried_behind_it() -> None:
    world = await parked_world()
    world.poison.cure()
    arriving = [e.PostUnliked(actor_id=1, post_id=8), e.PostLiked(actor_id=1, post_id=9)]

    def meanwhile() -> None:
        if arriving:
            world.act(arriving.pop(0))

    (chain,) = await world.chains()
    done = await world.retrying(meanwhile=meanwhile).retry(chain)
    assert (done.settled, done.appended, arriving) == (True, 5, [])
    assert world.seen() == await world.rows_without_poison()
    assert await likers(world) == {(7, 2), (9, 1)}


@pytest.mark.parametrize("bad", ["folded", "garbled"])
async def test_what_was_dead_when_a_worker_died_is_not_folded_too_late_by_a_repaired_one(bad: str) -> None:
    world = PoisonWorld()
    world.act(e.PostLiked(actor_id=3, post_id=7), bad=bad)
    world.act(e.PostLiked(actor_id=1, post_id=7))
    await world.turn(3, 2, dies_at=2)
    world.poison.cure()
    await world.pump()
    assert world.seen() == await world.rows_without_poison()


async def test_a_retry_does_not_wait_for_ever_for_a_job_that_is_away() -> None:
    world = await parked_world()
    world.poison.cure()
    (chain,) = await world.chains()
    retrying, world.pump = world.retrying(), _nothing  # type: ignore[method-assign]
    done = await retrying.retry(chain)
    assert (done.appended, done.settled, done.stopped_at) == (3, False, None)


async def _nothing(size: int = 0) -> None:
    """A job that stands still."""


async def test_a_dropped_letter_is_gone_and_what_waits_behind_it_can_be_retried() -> None:
    world = await parked_world()
    (chain,) = await world.chains()
    await world.retrying().drop(chain, chain.letters[:1])
    (left,) = await world.chains()
    assert [letter.name for letter in left.kept] == ["likes/3/1", "likes/3/2"]
    await world.retry_all()
    assert await likers(world) == {(8, 1), (7, 2)}


async def test_a_key_of_which_all_was_dropped_is_open_again() -> None:
    world = await parked_world()
    (chain,) = await world.chains()
    await world.retrying().drop(chain, chain.letters)
    assert await world.chains() == []
    world.act(e.PostLiked(actor_id=1, post_id=9))
    await world.pump()
    assert await likers(world) == {(9, 1), (7, 2)}


async def test_one_in_the_middle_may_be_dropped_and_the_others_are_retried_around_it() -> None:
    world = await parked_world()
    (chain,) = await world.chains()
    await world.retrying().drop(chain, chain.letters[1:2])
    assert [letter.name for letter in (await world.chains())[0].kept] == ["likes/3/0", "likes/3/2"]
    world.poison.cure()
    await world.retry_all()
    assert await likers(world) == {(7, 1), (8, 1), (7, 2)}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dies_at", range(1, 7))
async def test_a_drop_that_was_killed_is_finished_by_the_next(dies_at: int, after: bool) -> None:
    world = await parked_world()
    (chain,) = await world.chains()
    with suppress(Killed):
        await world.retrying(dies_at, after).drop(chain, chain.letters)
    for left in await world.chains():
        await world.retrying().drop(left, left.letters)
    assert await world.chains() == []
    assert await likers(world) == {(7, 2)}


async def test_a_letter_for_which_nothing_waits_is_settled_by_the_record_of_it() -> None:
    world = PoisonWorld()
    like = encoded(e.PostLiked(actor_id=1, post_id=7))
    headers = dict(like.headers) | {"ce_id": b"none"}
    keyless = EncodedRecord(topic=like.topic, key=b"", value=like.value, headers=tuple(headers.items()), timestamp_ms=1)
    world.append(keyless)
    await world.pump()
    (chain,) = await world.chains()
    assert chain.key is None
    refused = await world.retrying().retry(chain)
    assert (refused.appended, refused.reason) == (0, "undecodable: ce_id is no UUID")
    await world.retrying().drop(chain, chain.letters)
    assert await world.chains() == []


async def test_a_rebuild_buries_nothing_and_takes_from_the_log_what_was_decided() -> None:
    world = await parked_world()
    world.poison.cure()
    await world.retry_all()
    letters = len(world.log.of(LIKES.dead_letters))
    for cured in (True, False):
        rebuilt = PoisonWorld()
        rebuilt.log = world.log
        rebuilt.step = rebuilt.new_step(buries=False)
        if not cured:
            first = world.appended[0].event_id
            rebuilt.poison.folded.add(first)
        await rebuilt.pump()
        assert len(world.log.of(LIKES.dead_letters)) == letters
        if cured:
            assert rebuilt.seen() == world.seen()
        else:
            assert (await rebuilt.rows.positions("likes"))[Source("likes", "likes", 3)].parked


async def likers(world: PoisonWorld) -> set[tuple[int, int]]:
    """Who likes what, as (post, actor)."""
    return {(post_id, row.actor_id) async for row in world.rows.all_rows(LIKES_TABLE) for post_id in (row.post_id,)}


likes = st.builds(
    lambda kind, actor, post: kind(actor_id=actor, post_id=post),
    st.sampled_from([e.PostLiked, e.PostUnliked]),
    st.sampled_from(ACTORS),
    st.sampled_from(POSTS),
)
bads = st.sampled_from(["", "", "", "folded", "garbled"])
eager = st.sampled_from([True, True, False])
deaths = st.one_of(st.just(0), st.integers(1, 6))


class PoisonMachine(RuleBasedStateMachine):
    """People act, some of it is poison, processes die. Cured and retried, the rows are as if nothing had been."""

    def __init__(self) -> None:
        super().__init__()
        self.world = PoisonWorld()

    @rule(happenings=st.lists(st.tuples(likes, bads), min_size=1, max_size=8))
    def people_act(self, happenings: list[tuple[e.Event, str]]) -> None:
        """Events are appended."""
        for event, bad in happenings:
            self.world.act(event, bad=bad)

    @rule(which=st.integers(0, 1_000))
    def a_client_appends_it_again(self, which: int) -> None:
        """The same event stands in the log twice."""
        if self.world.appended:
            self.world.append(self.world.appended[which % len(self.world.appended)])

    @rule(where=st.integers(0, PARTITIONS - 1), size=st.integers(1, 6), dies_at=deaths, after=st.booleans())
    def a_worker_takes_a_batch(self, where: int, size: int, dies_at: int, after: bool) -> None:
        """To its end, or to its death."""
        asyncio.run(self._turn(where, size, dies_at, after))

    async def _turn(self, where: int, size: int, dies_at: int, after: bool) -> None:
        behind = [partition for partition in range(PARTITIONS) if await self.world.lag(partition)]
        if behind:
            await self.world.turn(behind[where % len(behind)], size, dies_at, after)

    @rule()
    def everything_is_folded(self) -> None:
        """What is dead and parked by now is put aside."""
        asyncio.run(self.world.pump())

    @rule()
    def somebody_repairs_the_program(self) -> None:
        """From now on everything can be processed."""
        self.world.poison.cure()

    @rule(which=st.integers(0, 100), dies_at=deaths, after=st.booleans(), force=eager, busy=st.booleans())
    def an_operator_retries(self, which: int, dies_at: int, after: bool, force: bool, busy: bool) -> None:
        """One chain, whether or not it can be processed by now; people may act while it goes on."""
        asyncio.run(self._retry(which, dies_at, after, force, busy))

    async def _retry(self, which: int, dies_at: int, after: bool, force: bool, busy: bool) -> None:
        chains = await self.world.chains()
        if not chains:
            return
        chain, left = chains[which % len(chains)], [3]

        def meanwhile() -> None:
            if busy and left[0]:
                left[0] -= 1
                self.world.act(e.PostLiked(actor_id=int(chain.key or b"1"), post_id=POSTS[left[0] % 2]))

        with suppress(Killed):
            await self.world.retrying(dies_at, after, meanwhile).retry(chain, force=force)

    @rule()
    def everything_is_cured_and_retried(self) -> None:
        """The rows are as they would be without poison."""
        asyncio.run(self._all_is_well())

    async def _all_is_well(self) -> None:
        self.world.poison.cure()
        await self.world.pump()
        await self.world.retry_all()
        assert self.world.seen() == await self.world.rows_without_poison()
        assert not any(stored.parked for stored in (await self.world.rows.positions("likes")).values())

    @invariant()
    def counts_add_up(self) -> None:
        """Every record below a position has one fate."""
        for source, stored in asyncio.run(self.world.rows.positions("likes")).items():
            counts = stored.counts
            assert counts.consumed == stored.next_offset == counts.below, source
            assert counts.consumed == sum((counts.applied, counts.duplicates, counts.noops, counts.dead, counts.parked))

    def teardown(self) -> None:
        """Whatever happened before."""
        self.everything_is_cured_and_retried()


TestPoison = PoisonMachine.TestCase
TestPoison.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
