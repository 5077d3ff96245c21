"""People and keepers over the river in memory: each call of a keeper waits to be let through, so that anything may come
between any two, and its process may die at any of them.
"""

import asyncio
import contextlib
from collections.abc import Mapping

import msgspec

from keeper.reader import DelayedReader
from keeper.resources import KeeperResources
from keeper.rules import Rule
from keeper.worker import rules_of
from photolog.engines.object_store import ObjectAbsent
from photolog.media.files import MediaFiles, archive_prefix
from photolog.media.originals import content_prefix, original_key, raw_key
from photolog.settings import MediaSettings
from projections.media import MEDIA, MediaRow, stored_files
from projections.posts import POSTS
from projections.stories import STORIES
from schemas import events as e
from schemas.topics import POSTS as POSTS_TOPIC
from schemas.topics import STORIES as STORIES_TOPIC
from tests.unit.keeper.gates import Gate, Gated, GatedModels, MemoryRecords
from tests.unit.leaving.world import Bucket
from tests.unit.streams.river import NOW_MS, SERDE, River
from tests.unit.streams.scenario import failed, post
from transcode.contents.holding import Contents, Mine
from transcode.contents.memory import MemoryContents
from transcode.contents.port import Content
from transcode.progress import Place

GRACE_SECONDS, STORY_SECONDS, REFUSED_SECONDS = 60.0, 80.0, 10.0
SETTLE_SECONDS, READING_SECONDS = 30.0, 12.0
MEDIA_SETTINGS = MediaSettings(refused_seconds=REFUSED_SECONDS, grace_seconds=GRACE_SECONDS)
ANNA, DIGEST = 11, "ab" * 32


class StoryBucket(Bucket):
    """A bucket that copies."""

    async def copy(self, key: str, to_key: str) -> None:
        if key not in self.objects:
            raise ObjectAbsent(key)
        self.objects[to_key] = self.objects[key]

    def under(self, prefix: str) -> list[str]:
        """The keys that begin with a prefix."""
        return [key for key in self.objects if key.startswith(prefix)]


class KeeperProcess:
    """A keeper. Others do not share its partitions, as if each took the others for dead.

    Args:
        world: where it works.
        committed: the offsets of its groups, by rule.
    """

    def __init__(self, world: "World", committed: dict[str, dict[Place, int]]) -> None:
        self.gate = Gate()
        self.models = GatedModels(world.river.rows, self.gate)
        self.committed = committed
        objects = Gated(world.objects, self.gate)
        self._resources = KeeperResources(
            rows=Gated(world.river.rows, self.gate),
            models=self.models,
            log=Gated(world.river.log, self.gate),
            holders_ends=Gated(world, self.gate),
            serde=SERDE,
            objects=objects,
            files=MediaFiles(objects, Contents(Gated(world.contents, self.gate), objects)),
            settle_seconds=SETTLE_SECONDS,
            reading_seconds=READING_SECONDS,
            clock_ms=lambda: world.now_ms,
            sleep=world.sleep,
        )
        rules = rules_of(self._resources, MEDIA_SETTINGS)
        self._logs = [self._records(world, rule) for rule in rules]
        self.readers = [
            DelayedReader(rule, records, SERDE, lambda: world.now_ms)
            for rule, records in zip(rules, self._logs, strict=True)
        ]

    async def turn(self) -> None:
        """Read what there is and begin what is due."""
        for reader, records in zip(self.readers, self._logs, strict=True):
            await reader.turn()
            while records.moved:
                await reader.turn()
        await spin()

    def kill(self) -> None:
        """SIGKILL, at whatever it was doing."""
        for reader in self.readers:
            for task in reader._tasks:
                task.cancel()

    def _records(self, world: "World", rule: Rule) -> MemoryRecords:
        return MemoryRecords(world.river.log, rule.topic.name, self.committed.setdefault(rule.name, {}))


class World:
    """The river, a bucket, a clock, and keepers."""

    def __init__(self, keepers: int = 1) -> None:
        self.river = River(clock_ms=lambda: self.now_ms, story_life_ms=round(STORY_SECONDS * 1_000))
        self.objects = StoryBucket()
        self.contents = MemoryContents()
        self.now = 0.0
        self._sleeping: list[tuple[float, asyncio.Future[None]]] = []
        self.keepers = [KeeperProcess(self, {}) for _ in range(keepers)]

    @property
    def now_ms(self) -> int:
        """Unix milliseconds."""
        return NOW_MS + round(self.now * 1_000)

    async def ends(self) -> Mapping[tuple[str, int], int]:
        """`keeper.resources.Ends`."""
        holders = (POSTS_TOPIC.name, STORIES_TOPIC.name)
        return {place: len(found) for place, found in self.river.log.partitions.items() if place[0] in holders}

    async def sleep(self, seconds: float) -> None:
        """By the clock of this world."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleeping.append((self.now + seconds, future))
        await future

    async def advance(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds
        for due, future in self._sleeping:
            if due <= self.now and not future.done():
                future.set_result(None)
        self._sleeping = [(due, future) for due, future in self._sleeping if not future.done()]
        await spin()

    def append(self, *events: e.Event) -> None:
        """Commands' events."""
        self.river.append(*events, at_ms=self.now_ms)

    def upload(
        self, media_id: int, purpose: e.Purpose = "post", *, refused: bool = False, reason: str = "not-an-image"
    ) -> None:
        """An upload that was answered, with its files."""
        self.put(raw_key(ANNA, media_id))
        if refused:
            self.append(msgspec.structs.replace(failed(media_id, ANNA), reason=reason))
            return
        answer = answered(media_id, purpose)
        self.put(*(file.object_key for file in answer.variants))
        self.append(answer)

    async def share(self, first_id: int, *media_ids: int, purpose: e.Purpose = "post") -> None:
        """Uploads of the same bytes, the first of which made the content that they hold."""
        contents = Contents(self.contents, self.objects)
        for media_id in (first_id, *media_ids):
            answer = msgspec.structs.replace(answered(first_id, purpose), content_id=first_id, digest=DIGEST)
            self.put(raw_key(ANNA, media_id))
            claim = await contents.claim(DIGEST, media_id, lambda content: True)
            if isinstance(claim, Mine):
                self.put(*(file.object_key for file in answer.variants))
                content = Content(content_type="image/jpeg", answer=answer)
                assert await contents.finish(claim, content, raw_key(ANNA, media_id))
            self.append(msgspec.structs.replace(answer, media_id=media_id))

    def put(self, *keys: str) -> None:
        """Files."""
        for key in keys:
            self.objects.objects[key] = (b"bytes", "image/jpeg")

    def post(self, post_id: int, *media_ids: int) -> None:
        """A post that was acknowledged."""
        self.append(post(post_id, ANNA, *media_ids))

    def delete(self, post_id: int) -> None:
        """A post that was deleted."""
        self.append(e.PostDeleted(post_id=post_id, owner_id=ANNA))

    def tell(self, story_id: int, media_id: int) -> None:
        """A story that was acknowledged."""
        told = e.StoryCreated(story_id=story_id, owner_id=ANNA, media_id=media_id, audience="everyone", alt_text=None)
        self.append(told)

    def take_back(self, story_id: int) -> None:
        """A story that was deleted."""
        self.append(e.StoryDeleted(story_id=story_id, owner_id=ANNA))

    def kill(self, which: int) -> None:
        """A keeper dies, and another begins where its groups had committed."""
        before = self.keepers[which]
        before.kill()
        self.keepers[which] = KeeperProcess(self, before.committed)

    async def settle(self, rounds: int = 12, seconds: float = GRACE_SECONDS / 4) -> None:
        """Everybody works, and time passes."""
        for _ in range(rounds):
            await self.work()
            await self.advance(seconds)

    async def work(self) -> None:
        """Jobs and keepers work until only time is left to be waited for."""
        for _ in range(6):
            await self.river.pump()
            for keeper in self.keepers:
                await keeper.turn()
                for _ in range(400):
                    if not keeper.gate.let_through(0):
                        break
                    await spin()
                await keeper.turn()

    async def media(self, media_id: int) -> MediaRow | None:
        """A row."""
        return await self.river.rows.get(MEDIA.key(media_id))  # type: ignore[no-any-return]  # the river's stores are Any

    async def status(self, media_id: int) -> str:
        """What a record is."""
        row = await self.media(media_id)
        return "absent" if row is None else row.status

    async def post_status(self, post_id: int) -> str:
        """What a post is."""
        found = await self.river.rows.get(POSTS.key(post_id))
        return "absent" if found is None else str(found.status)

    async def story_status(self, story_id: int) -> str:
        """What a story is."""
        found = await self.river.rows.get(STORIES.key(story_id))
        return "absent" if found is None else str(found.status)

    async def named(self, media_id: int) -> list[str]:
        """The objects that a row names."""
        row = await self.media(media_id)
        return [file.object_key for file in stored_files(row)] if row is not None else []

    def files(self, media_id: int) -> list[str]:
        """Whatever there is of an upload."""
        prefixes = (raw_key(ANNA, media_id), original_key(media_id), content_prefix(media_id), archive_prefix(media_id))
        return [key for prefix in prefixes for key in self.objects.under(prefix)]

    async def end(self) -> None:
        """Nobody works any more."""
        for keeper in self.keepers:
            keeper.kill()
            for reader in keeper.readers:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.gather(*reader._tasks, return_exceptions=True)


def answered(media_id: int, purpose: e.Purpose) -> e.MediaTranscodingCompleted:
    """What is made of a photograph."""
    variant = e.MediaVariant(
        name="w320.jpeg",
        content_type="image/jpeg",
        width=320,
        height=200,
        size_bytes=5,
        object_key=f"{content_prefix(media_id)}w320.jpeg",
    )
    return e.MediaTranscodingCompleted(
        media_id=media_id, owner_id=ANNA, width=640, height=400, variants=[variant], purpose=purpose
    )


async def spin(times: int = 4) -> None:
    """Let whoever can go on."""
    for _ in range(times):
        await asyncio.sleep(0)
