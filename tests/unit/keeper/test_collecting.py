"""Collecting: whatever interleaves and whoever dies, no post and no story loses its files, and what nothing holds
goes."""

import random
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photolog.media.files import archive_prefix
from schemas import events as e
from schemas.topics import MEDIA_COMPLETED
from tests.unit.keeper.world import ANNA, GRACE_SECONDS, SETTLE_SECONDS, World, spin
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


async def test_an_upload_for_a_story_that_nobody_posts_is_gone_too(world: World) -> None:
    world.upload(501, "story")
    await world.work()
    await world.advance(GRACE_SECONDS)
    await world.work()
    assert await world.status(501) == "collected"
    await world.advance(SETTLE_SECONDS)
    await world.work()
    assert (await world.status(501), world.files(501)) == ("removed", [])


async def test_what_a_story_holds_stays_until_it_is_deleted_however_long_its_day_is_over(world: World) -> None:
    world.upload(501, "story")
    world.tell(101, 501)
    world.tell(102, 501)
    await world.settle(40)
    assert (await world.status(501), len(world.files(501))) == ("ready", 2)
    world.take_back(101)
    await world.settle()
    assert (await world.status(501), len(world.files(501))) == ("ready", 2)
    world.take_back(102)
    await world.settle()
    assert (await world.status(501), world.files(501)) == ("removed", [])


@pytest.mark.parametrize("post_first", [True, False])
async def test_what_a_post_and_a_story_hold_stays_until_both_are_gone(world: World, post_first: bool) -> None:
    """No command makes a post of what is for a story; the log might hold one of before that was so."""
    world.upload(501)
    world.post(101, 501)
    world.tell(102, 501)
    await world.settle()
    ends = [e.PostDeleted(post_id=101, owner_id=ANNA), e.StoryDeleted(story_id=102, owner_id=ANNA)]
    for end in ends if post_first else reversed(ends):
        assert (await world.status(501), len(world.files(501))) == ("ready", 2)
        world.append(end)
        await world.settle()
    assert (await world.status(501), world.files(501)) == ("removed", [])


async def test_a_story_that_was_rejected_holds_nothing(world: World) -> None:
    world.upload(501, "story")
    rejected = e.StoryRejected(story_id=101, owner_id=ANNA, media_id=501, reason="too-long")
    world.tell(101, 501)
    world.append(rejected)
    await world.work()
    assert await world.story_status(101) == "rejected"
    await world.settle()
    assert (await world.status(501), world.files(501)) == ("removed", [])


async def test_a_story_that_was_made_meanwhile_keeps_it_and_is_published(world: World) -> None:
    world.upload(501, "story")
    await world.work()
    await world.advance(GRACE_SECONDS)
    await world.work()
    world.tell(101, 501)  # its command had read the row before
    await world.work()
    assert (await world.status(501), await world.story_status(101)) == ("collected", "processing")
    await world.advance(SETTLE_SECONDS)
    await world.work()
    assert (await world.status(501), await world.story_status(101)) == ("ready", "published")
    assert told(world) == ["media.collected", "media.kept"]
    world.take_back(101)
    await world.settle(16)
    assert (await world.status(501), world.files(501)) == ("removed", [])


@pytest.mark.parametrize("purpose", ["post", "story"])
async def test_what_is_in_the_log_and_in_no_row_yet_is_waited_for(world: World, purpose: e.Purpose) -> None:
    world.upload(501, purpose)
    await world.work()
    await world.advance(GRACE_SECONDS)
    await world.work()
    world.tell(101, 501) if purpose == "story" else world.post(101, 501)
    await world.advance(SETTLE_SECONDS)
    for _ in range(100):
        world.keepers[0].gate.let_through(0)
        await spin()
    assert told(world) == ["media.collected"], "the jobs stand still"
    await world.work()
    assert told(world) == ["media.collected", "media.kept"]


async def test_a_story_that_is_appended_when_its_photograph_is_gone_is_rejected(world: World) -> None:
    world.upload(501, "story")
    await world.settle()
    world.tell(101, 501)
    await world.work()
    assert await world.story_status(101) == "rejected"


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


@pytest.mark.parametrize(("purpose", "holder"), [("post", "posts"), ("story", "stories"), ("post", "stories")])
async def test_nothing_is_removed_while_something_of_the_owner_is_put_aside(
    world: World, purpose: e.Purpose, holder: str
) -> None:
    world.upload(501, purpose)
    world.keepers[0].models.parked_keys.add((holder, b"11"))
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
    """People upload, post, tell stories and delete; two keepers that take each other for dead work, a call at a time,
    and die."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.world = World(keepers=2)
        self.uploaded: dict[int, bool] = {}
        self.purposes: dict[int, e.Purpose] = {}
        self.posts: dict[int, tuple[int, ...]] = {}
        self.stories: dict[int, tuple[int, ...]] = {}
        self.last_id = 100
        self._commands: list[tuple[float, bool, tuple[int, ...]]] = []
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
        self.purposes[media_id] = self.chance.choice(["post", "story"])
        self.world.upload(media_id, self.purposes[media_id], refused=refused)

    async def read_rows(self) -> None:
        """A command reads rows, to make a post or a story of what may be posted."""
        ready = [media_id for media_id in self.uploaded if await self.world.status(media_id) == "ready"]
        if ready:
            first = self.chance.choice(ready)
            told = self.purposes[first] == "story"
            more = [one for one in ready if not told and self.purposes[one] == "post"]
            some = tuple({first, self.chance.choice([first, *more])})
            self._commands.append((self.world.now, told, some))

    async def post(self) -> None:
        """What a command appends is in the log in time, or never."""
        self._commands = [one for one in self._commands if self.world.now - one[0] < SETTLE_SECONDS]
        if self._commands:
            _, told, media_ids = self._commands.pop(self.chance.randrange(len(self._commands)))
            self.last_id += 1
            if told:
                self.stories[self.last_id] = media_ids
                self.world.tell(self.last_id, *media_ids)
            else:
                self.posts[self.last_id] = media_ids
                self.world.post(self.last_id, *media_ids)

    async def delete(self) -> None:
        """One of the posts or stories that are there."""
        live, gone = self.chance.choice([(self.posts, self.world.delete), (self.stories, self.world.take_back)])
        if live:
            one_id = self.chance.choice(list(live))
            del live[one_id]
            gone(one_id)

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

    def held(self) -> set[int]:
        """What is held by whatever was acknowledged and not deleted."""
        return {one for live in (self.posts, self.stories) for media_ids in live.values() for one in media_ids}

    async def check(self) -> None:
        """It has its files, where its row says, once that says where."""
        for media_id in self.held():
            assert len(self.world.files(media_id)) >= 2, media_id
            assert all(key in self.world.objects.objects for key in await self.world.named(media_id)), media_id

    async def check_in_the_end(self) -> None:
        """What nothing holds is gone, every post and story is out, and stories lie in the archive."""
        held = self.held()
        for media_id, refused in self.uploaded.items():
            status = "failed" if refused else "ready" if media_id in held else "removed"
            assert await self.world.status(media_id) == status
            assert len(self.world.files(media_id)) == (2 if status == "ready" else 0)
            if status == "ready":
                archived = self.world.objects.under(archive_prefix(media_id))
                assert bool(archived) == (self.purposes[media_id] == "story")
        for post_id in self.posts:
            assert await self.world.post_status(post_id) == "published"
        for story_id in self.stories:
            assert await self.world.story_status(story_id) == "published"


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
async def test_whatever_interleaves_no_post_and_no_story_loses_its_files_and_nothing_else_stays(seed: int) -> None:
    town = Town(seed)
    for _ in range(400):
        await town.step()
        await town.check()
    await town.world.settle(20)
    await town.check()
    await town.check_in_the_end()
    await town.world.end()
