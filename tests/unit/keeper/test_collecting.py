"""Collecting: whatever interleaves and whoever dies, no post loses its files, and what nothing holds goes."""

import random
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import events as e
from schemas.topics import MEDIA_COMPLETED
from tests.unit.keeper.world import GRACE_SECONDS, SETTLE_SECONDS, World, spin
from tests.unit.streams.river import SERDE


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.end()


def told(world: World) -> list[str]:
    """What the keeper appended, in order."""
    records = world.river.log.of(MEDIA_COMPLETED.name)
    events = [SERDE.open_record(SERDE.parse(record.value), lambda _: None) for record in records]
    return [event.type for event in events if not isinstance(event, e.MediaTranscodingCompleted)]


async def test_an_upload_that_no_post_holds_is_gone_after_the_grace_period(world: World) -> None:
    world.upload(501)
    await world.work()
    await world.advance(GRACE_SECONDS - 1)
    await world.work()
    assert (await world.status(501), len(world.files(501))) == ("ready", 2)
    await world.advance(1)
    await world.work()
    assert (await world.status(501), len(world.files(501))) == ("collected", 2)
    await world.advance(SETTLE_SECONDS)
    await world.work()
    assert (await world.status(501), world.files(501)) == ("removed", [])
    assert told(world) == ["media.collected", "media.removed"]


async def test_what_a_post_holds_stays_until_the_last_one_is_deleted(world: World) -> None:
    world.upload(501)
    world.post(101, 501)
    world.post(102, 501)
    await world.settle()
    world.delete(101)
    await world.settle()
    assert (await world.status(501), len(world.files(501))) == ("ready", 2)
    world.delete(102)
    await world.settle()
    assert (await world.status(501), world.files(501)) == ("removed", [])


async def test_the_files_of_a_content_go_with_the_last_who_holds_it(world: World) -> None:
    await world.share(501, 502)
    world.post(101, 502)
    await world.settle()
    assert (await world.status(501), await world.status(502)) == ("removed", "ready")
    assert len(world.files(501)) == 2, "they are those of the other, too"
    world.delete(101)
    await world.settle()
    assert await world.status(502) == "removed"
    assert world.objects.objects == {}
    assert world.contents.rows == {}


async def test_a_post_that_was_made_meanwhile_keeps_it_and_is_published(world: World) -> None:
    world.upload(501)
    await world.work()
    await world.advance(GRACE_SECONDS)
    await world.work()
    assert await world.status(501) == "collected"
    world.post(101, 501)  # its command had read the row before
    await world.work()
    assert await world.post_status(101) == "processing"
    await world.advance(SETTLE_SECONDS)
    await world.work()
    assert (await world.status(501), await world.post_status(101)) == ("ready", "published")
    assert len(world.files(501)) == 2
    assert told(world) == ["media.collected", "media.kept"]
    world.delete(101)
    await world.settle()
    assert (await world.status(501), world.files(501)) == ("removed", [])


async def test_what_was_kept_for_a_post_that_went_meanwhile_is_looked_at_again(world: World) -> None:
    world.upload(501)
    await world.work()
    await world.advance(GRACE_SECONDS)
    await world.work()
    world.post(101, 501)
    await world.advance(SETTLE_SECONDS)
    await world.work()
    assert told(world)[-1] == "media.kept"
    world.delete(101)
    await world.settle(16)
    assert (await world.status(501), world.files(501)) == ("removed", [])


async def test_nothing_is_removed_while_a_post_of_the_owner_is_put_aside(world: World) -> None:
    world.upload(501)
    world.keepers[0].models.parked_keys.add(b"11")
    await world.settle(20)
    assert (await world.status(501), len(world.files(501))) == ("ready", 2)
    assert set(told(world)) == {"media.collected", "media.kept"}
    world.keepers[0].models.parked_keys.clear()
    await world.settle(20)
    assert (await world.status(501), world.files(501)) == ("removed", [])


async def test_a_post_that_is_appended_when_its_photograph_is_gone_is_rejected(world: World) -> None:
    """A client that retries under its Idempotency-Key for hours appends what was decided before."""
    world.upload(501)
    await world.settle()
    world.post(101, 501)
    await world.work()
    assert await world.post_status(101) == "rejected"


async def test_a_verdict_about_another_collection_changes_nothing(world: World) -> None:
    world.upload(501)
    await world.work()
    await world.advance(GRACE_SECONDS)
    await world.work()
    row = await world.media(501)
    assert row is not None
    for late in (e.MediaRemoved, e.MediaKept):
        world.append(late(media_id=501, owner_id=11, collection="another"))
        await world.work()
        assert await world.media(501) == row
    world.append(e.MediaKept(media_id=501, owner_id=11, collection=row.collection))
    world.append(e.MediaRemoved(media_id=501, owner_id=11, collection=row.collection))
    await world.work()
    assert (await world.status(501), len(world.files(501))) == ("ready", 2)


class Town:
    """People upload, post and delete; two keepers that take each other for dead work, a call at a time, and die."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.world = World(keepers=2)
        self.uploaded: dict[int, bool] = {}
        self.live: dict[int, tuple[int, ...]] = {}
        self.posts = 100
        self._commands: list[tuple[float, tuple[int, ...]]] = []
        self._happenings = {
            self.upload: 2,
            self.read_rows: 8,
            self.post: 4,
            self.delete: 6,
            self.world.river.pump: 8,
            self.pass_time: 4,
            self.begin: 6,
            self.call: 24,
            self.die: 0.5,
        }

    async def step(self) -> None:
        """Something happens."""
        (happening,) = self.chance.choices(list(self._happenings), list(self._happenings.values()))
        await happening()

    async def upload(self) -> None:
        """A photograph more, or what is none."""
        media_id, refused = 501 + len(self.uploaded), self.chance.random() < 0.2
        self.uploaded[media_id] = refused
        self.world.upload(media_id, refused=refused)

    async def read_rows(self) -> None:
        """A command reads rows, to make a post of what may be posted."""
        ready = [media_id for media_id in self.uploaded if await self.world.status(media_id) == "ready"]
        if ready:
            some = tuple({self.chance.choice(ready) for _ in range(2)})
            self._commands.append((self.world.now, some))

    async def post(self) -> None:
        """What a command appends is in the log in time, or never."""
        self._commands = [(at, ids) for at, ids in self._commands if self.world.now - at < SETTLE_SECONDS]
        if self._commands:
            _, media_ids = self._commands.pop(self.chance.randrange(len(self._commands)))
            self.posts += 1
            self.live[self.posts] = media_ids
            self.world.post(self.posts, *media_ids)

    async def delete(self) -> None:
        """One of the posts that are there."""
        if self.live:
            post_id = self.chance.choice(list(self.live))
            del self.live[post_id]
            self.world.delete(post_id)

    async def pass_time(self) -> None:
        """For everybody."""
        await self.world.advance(self.chance.choice([1.0, 5.0, 10.0, 29.0, 30.0]))

    async def begin(self) -> None:
        """A keeper reads."""
        await self.chance.choice(self.world.keepers).turn()

    async def call(self) -> None:
        """A keeper comes some calls further with what it does."""
        keeper = self.chance.choice(self.world.keepers)
        for _ in range(self.chance.randrange(12)):
            keeper.gate.let_through(self.chance.randrange(1_000))
            await spin(2)

    async def die(self) -> None:
        """In the middle of anything."""
        self.world.kill(self.chance.randrange(2))

    def check(self) -> None:
        """Whatever was acknowledged and not deleted has its files."""
        for media_id in {media_id for media_ids in self.live.values() for media_id in media_ids}:
            assert len(self.world.files(media_id)) == 2, media_id

    async def check_in_the_end(self) -> None:
        """What nothing holds is gone, and every post is out."""
        held = {media_id for media_ids in self.live.values() for media_id in media_ids}
        for media_id, refused in self.uploaded.items():
            status = "failed" if refused else "ready" if media_id in held else "removed"
            assert await self.world.status(media_id) == status
            assert bool(self.world.files(media_id)) == (status == "ready")
        for post_id in self.live:
            assert await self.world.post_status(post_id) == "published"


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
async def test_whatever_interleaves_no_post_loses_its_files_and_nothing_else_stays(seed: int) -> None:
    town = Town(seed)
    for _ in range(400):
        await town.step()
        town.check()
    await town.world.settle(20)
    town.check()
    await town.check_in_the_end()
    await town.world.end()
