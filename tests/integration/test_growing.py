"""Topics grow while people act: no order, count, feed or position is lost, and the log folds into the same rows."""

import asyncio
import json
import random
import re
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from infra.local.home import REPOSITORY
from photolog.errors import LogUnavailable
from photolog.log.growth import epoch_of, place_of
from photolog.log.partitioner import partition_of
from photolog.log.record import EncodedRecord, StoredRecord
from photolog.log.topic_admin import TopicAdmin
from photolog.positions import Position
from photolog.settings import Settings
from projections.catalogue import PROJECTIONS, TABLES
from projections.graph import GRAPH_COUNTS
from projections.likes import LIKE_COUNTS, LIKES
from projections.stores.memory_rows import MemoryRows
from schemas import events as e
from schemas.topics import GRAPH, POSTS, topic_named
from schemas.topics import LIKES as LIKES_TOPIC
from streams.jobs import folding_steps
from streams.replay import replay
from tests.integration.gateways import Gateway, Person, gateway, read_topic
from tests.integration.test_faust_worker import Unheard
from tests.integration.workers import Hand, WorkerProcess, eventually, published, without_deployment
from tests.unit.streams.scenario import follow, post, ready

BEFORE, AFTER = 4, 6
GROWN = (GRAPH.name, LIKES_TOPIC.name, POSTS.name)
_COMMAND = re.compile(r"^bin/photolog (?P<arguments>[^#\n]*)", re.MULTILINE)


@pytest.fixture(scope="module")
async def patient(migrated: dict[str, str], settings: Settings) -> AsyncIterator[Gateway]:
    """A gateway that waits longer than a busy machine's workers need."""
    slow = settings.model_copy(update={"gateway": settings.gateway.model_copy(update={"position_wait_ms": 30_000})})
    async with gateway(slow) as one:
        yield one


@dataclass
class Load:
    """People who act all the while, each waiting for an answer before the next act, as clients do."""

    hand: Hand
    posts: list[int]
    author: int
    chaos: random.Random = field(default_factory=lambda: random.Random(0))
    liked: dict[tuple[int, int], bool] = field(default_factory=dict)
    followed: dict[tuple[int, int], bool] = field(default_factory=dict)
    created: list[int] = field(default_factory=list)
    order: defaultdict[tuple[str, bytes], list[bytes]] = field(default_factory=lambda: defaultdict(list))
    refused: int = 0
    positions: list[Position] = field(default_factory=list)

    async def likes(self, actor: int) -> None:
        """Like or unlike one of the posts."""
        post_id = self.chaos.choice(self.posts)
        likes = not self.liked.get((actor, post_id), False)
        event = e.PostLiked if likes else e.PostUnliked
        await self._append(await self.hand.record(event(actor_id=actor, post_id=post_id)))
        self.liked[actor, post_id] = likes

    async def follows(self, fan: int) -> None:
        """Follow the author, or no longer."""
        follows = not self.followed.get((fan, self.author), False)
        gone = e.FollowDeleted(follower_id=fan, followee_id=self.author)
        await self._append(await self.hand.record(follow(fan, self.author) if follows else gone))
        self.followed[fan, self.author] = follows

    async def posts_something(self, _: int) -> None:
        """A post whose photograph is ready."""
        post_id, media_id = self.hand.ids.next(), self.hand.ids.next()
        await self.hand.append(ready(media_id, self.author))
        await self._append(await self.hand.record(post(post_id, self.author, media_id)))
        self.created.append(post_id)

    async def _append(self, record: EncodedRecord) -> None:
        """A command and its retries: the same bytes until they are acknowledged."""
        while True:
            try:
                self.positions += await self.hand.append_records([record])
                break
            except LogUnavailable:
                self.refused += 1
                await asyncio.sleep(0.2)
        self.order[record.topic, record.key].append(dict(record.headers)["ce_id"])


async def test_topics_grow_under_load(
    migrated: dict[str, str], settings: Settings, workers: list[WorkerProcess], hand: Hand, patient: Gateway
) -> None:
    ada, bob = await patient.person(), await patient.person()
    followed = await bob.request("PUT", f"/v1/accounts/{ada.account_id}/follow", headers=_position(ada, bob))
    assert followed.status_code == 200, followed.text
    old_position = f"{ada.position},{followed.headers['photolog-position']}"
    posts = [await published(hand, int(ada.account_id)) for _ in range(3)]
    load = Load(hand, posts, int(ada.account_id), created=list(posts))
    actors, fans = ([hand.ids.next() for _ in range(24)] for _ in range(2))
    await _act(load, actors, fans, rounds=3)
    stop = asyncio.Event()
    acting = asyncio.create_task(_act_until(stop, load, actors, fans))
    told, *_ = await asyncio.gather(
        _as_documented(migrated),
        _command(migrated, "grow", GRAPH.name, "--partitions", str(AFTER), "--json"),
        _command(migrated, "grow", POSTS.name, "--partitions", str(AFTER), "--json"),
    )
    assert "likes: lift: appends are let in again" in told
    stop.set()
    await acting
    await _act(load, actors, fans, rounds=2)
    assert load.refused > 0, "some came while the topics were closed"
    for topic in GROWN:
        await _hold_order(hand, settings, load, topic)
        await _caught_up(hand, topic)
    await hand.settled()
    await _hold_rows(hand, load)
    await _hold_feed(bob, load, old_position)
    await _hold_replay(hand, settings)


async def _act(load: Load, actors: list[int], fans: list[int], rounds: int) -> None:
    for _ in range(rounds):
        await asyncio.gather(
            *(load.likes(actor) for actor in actors), *(load.follows(fan) for fan in fans), load.posts_something(0)
        )


async def _act_until(stop: asyncio.Event, load: Load, actors: list[int], fans: list[int]) -> None:
    while not stop.is_set():
        await _act(load, actors, fans, rounds=1)
        await asyncio.sleep(0.3)


async def _as_documented(environment: Mapping[str, str]) -> str:
    """Run the page's commands."""
    page = (REPOSITORY / "docs" / "GROWING.md").read_text()
    commands = [found["arguments"].split() for found in _COMMAND.finditer(page)]
    assert [command[0] for command in commands] == ["positions", "grow", "grow", "migrate"]
    return "".join([await _command(environment, *command) for command in commands])


async def _command(environment: Mapping[str, str], *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.app", *arguments,
        cwd=REPOSITORY, env={**without_deployment(), **environment},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert process.returncode == 0, output.decode() + errors.decode()
    if "--json" in arguments:
        assert [json.loads(line)["step"] for line in output.splitlines()][-1] == "lift"
    return output.decode()


async def _hold_order(hand: Hand, settings: Settings, load: Load, topic: str) -> None:
    """By place, each key's records stand as its people were answered, and where the count of their epoch puts them."""
    assert await TopicAdmin(settings.kafka, topic).partitions() == AFTER, "and `migrate` left it so"
    history = await hand.resources.growths.of(topic)
    assert [(growth.before, growth.after) for growth in history] == [(BEFORE, AFTER)]
    keys = {key for name, key in load.order if name == topic}
    records = await asyncio.to_thread(read_topic, settings.kafka, topic, lambda record: record.key in keys)
    epochs = {
        (record.partition, record.offset): epoch_of(history, record.partition, record.offset) for record in records
    }

    def place(record: StoredRecord) -> int:
        return place_of(epochs[record.partition, record.offset], record.offset)

    found: defaultdict[bytes, list[bytes]] = defaultdict(list)
    for record in sorted(records, key=place):
        assert record.key is not None
        count = AFTER if epochs[record.partition, record.offset] else BEFORE
        assert record.partition == partition_of(record.key, count), record
        found[record.key].append(record.header("ce_id") or b"")
    for key in keys:
        wanted = load.order[topic, key]
        ours = [event_id for event_id in dict.fromkeys(found[key]) if event_id in set(wanted)]
        assert ours == wanted
    if topic == LIKES_TOPIC.name:
        assert max(record.partition for record in records) >= BEFORE, "some keys have moved"


async def _caught_up(hand: Hand, topic: str) -> None:
    async def caught_up() -> bool:
        return await hand.caught_up(
            {LIKES_TOPIC.name: "likes", GRAPH.name: "graph"}.get(topic, topic), topic_named(topic)
        )

    await eventually(caught_up)


async def _hold_rows(hand: Hand, load: Load) -> None:
    rows = hand.resources.rows
    keys = list(load.liked)
    held = await rows.get_many([LIKES.key(*key) for key in keys])
    assert {key: row is not None for key, row in zip(keys, held, strict=True)} == load.liked
    for post_id in load.posts:
        parts = await rows.scan(LIKE_COUNTS, (post_id,), limit=100)
        wanted = sum(likes for (_, liked), likes in load.liked.items() if liked == post_id)
        assert sum(part.count for part in parts) == wanted
    counts = await rows.scan(GRAPH_COUNTS, (load.author,), limit=100)
    followers = sum(part.count for part in counts if part.counter == "followers")
    assert followers == sum(load.followed.values()) + 1, "Bob is the one who follows before and after"


async def _hold_feed(bob: Person, load: Load, old_position: str) -> None:
    """An old position is still answered, and behind it and a new one stands every post."""
    newest = max((one for one in load.positions if one.topic == POSTS.name), key=lambda one: one.offset)
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = await bob.request(
            "GET", f"/v1/feed?limit=50{cursor and '&cursor=' + cursor}",
            headers={"photolog-position": f"{old_position},{newest}"},
        )  # fmt: skip
        assert page.status_code == 200, page.text
        seen += [item["id"] for item in page.json()["items"]]
        cursor = page.json()["next_cursor"]
    assert sorted(seen) == sorted(map(str, load.created))


async def _hold_replay(hand: Hand, settings: Settings) -> None:
    """From the log's beginning, the grown topics fold into the very rows that the workers made."""
    resources, replayed = hand.resources, MemoryRows()
    grown = [one for one in PROJECTIONS if {topic.name for topic in one.topics} & set(GROWN)]
    steps = folding_steps(grown, replayed, resources.serde, resources.keys, Unheard(), resources.growths)
    for topic, ours in steps.items():
        await replay(settings.kafka, topic, ours)
    for projection in grown:
        ends = await replayed.positions(projection.name)
        reached = [Position(at.topic, at.partition, stored.next_offset - 1) for at, stored in ends.items()]
        await hand.applied(projection.name, reached)
    tables: dict[str, Any] = {table.name: table for table in TABLES}
    folded = {
        tables[name].key(*key): kept
        for (name, _), partition in replayed._partitions.items()
        for key, kept in partition.items()
    }
    live = await resources.rows.load(list(folded))
    alive = {key: kept.row for key, kept in live.items()}
    assert {key: row for key, row in alive.items() if row != folded[key].row} == {}
    places = {key: kept.offset for key, kept in live.items() if kept.row is not None}
    assert {key: place for key, place in places.items() if place != folded[key].offset} == {}


def _position(*people: Person) -> dict[str, str]:
    return {"photolog-position": ",".join(person.position for person in people)}
