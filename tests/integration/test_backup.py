"""A world that is backed up while it lives, and is there again, record by record and row by row, in another system."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from backup.kafka_topics import KafkaTopics
from backup.manifest import Manifest, manifest_of
from backup.shelves import FolderShelf
from infra.local.ports import pick_free_port_base
from infra.local.stack import Stack
from photolog.log.bulk import Appended, BulkProducer
from photolog.log.record import StoredRecord
from photolog.log.slices import Slice, SliceReader
from photolog.settings import Settings
from schemas import events as e
from schemas.topics import ACCOUNTS, POST_VIEWS
from tests.conftest import settings_from
from tests.integration.command_line import CommandLine
from tests.integration.gateways import PASSWORD, Gateway, Person, gateway
from tests.integration.workers import Hand, WorkerProcess, eventually, published

KILLED = -9
FORGOTTEN = (POST_VIEWS.dead_letters, 0)
"""A partition of which the log keeps nothing of what it held."""


@dataclass(frozen=True, slots=True)
class World:
    """Somebody with a post, somebody who follows and likes them, and somebody who left."""

    author: Person
    fan: Person
    leaver: Person
    post_id: int


@pytest.fixture
def command(migrated: dict[str, str]) -> CommandLine:
    return CommandLine(migrated)


@asynccontextmanager
async def another_system(first: Stack, home: Path) -> AsyncIterator[asyncio.Task[Stack]]:
    """Engines of their own, under the keys of the first ones; they boot while the block goes on."""
    keys = {name: value for name, value in first.environment().items() if "__SECRETS__" in f"__{name}"}
    kept = {name: value for name, value in keys.items() if name.startswith("PHOTOLOG_SECRETS__")}
    stack = Stack(home, pick_free_port_base(), engines_only=True, overrides=kept)

    async def boot() -> Stack:
        await asyncio.to_thread(stack.start, detached=True)
        return stack

    booting = asyncio.create_task(boot())
    try:
        yield booting
    finally:
        await asyncio.wait([booting])
        await asyncio.to_thread(stack.stop)


async def lived(hand: Hand, here: Gateway) -> World:
    author, fan, leaver = [await here.person(display_name=name) for name in ("Ada", "Bob", "Eve")]
    post_id = await published(hand, int(author.account_id))
    await hand.append(
        e.PostLiked(actor_id=int(fan.account_id), post_id=post_id),
        e.CommentCreated(comment_id=hand.ids.next(), post_id=post_id, author_id=int(fan.account_id), text="well seen"),
    )
    assert (await fan.request("PUT", f"/v1/accounts/{author.account_id}/follow")).is_success
    assert (await leaver.request("DELETE", "/v1/me", json={"password": PASSWORD})).is_success
    return World(author, fan, leaver, post_id)


async def forget(settings: Settings) -> None:
    """What retention does to a partition."""
    await BulkProducer(settings.kafka).append([Appended(*FORGOTTEN, b"k", b"v", (), 0) for _ in range(5)])
    topics = KafkaTopics(settings.kafka)
    end = (await topics.bounds([FORGOTTEN[0]]))[FORGOTTEN].end
    await topics.delete_before(FORGOTTEN, end)


async def killed(command: CommandLine, *arguments: str, once: Callable[[], Awaitable[bool]]) -> None:
    """Run a command that is killed as soon as something holds."""
    process = await command.start(*arguments)
    await eventually(once)
    process.kill()
    await process.communicate()
    assert process.returncode == KILLED


async def records_of(settings: Settings, manifest: Manifest) -> list[StoredRecord]:
    """Every record that a manifest speaks of."""
    slices = [
        Slice(topic.topic, one.partition, one.begin, one.end)
        for topic in manifest.topics
        for one in topic.partitions
        if one.begin < one.end
    ]
    async with SliceReader(settings.kafka) as reader:
        found = [record async for batch in reader.read(slices) for record in batch.records]
    return sorted(found, key=lambda one: (one.topic, one.partition, one.offset))


async def digests(command: CommandLine) -> dict[str, tuple[int, str]]:
    """Rows and digest of each projection, once all of them have folded everything."""
    found: list[dict[str, Any]] = []

    async def is_folded() -> bool:
        found[:] = await command.lines("projections", "--json")
        return all(line["lag"] == 0 for line in found)

    await eventually(is_folded)
    return {line["projection"]: (line["rows"], line["digest"]) for line in found if line["digest"] is not None}


@pytest.mark.timeout(600)  # on a machine that does much else besides
async def test_a_world_is_there_again_in_another_system(
    workers: list[WorkerProcess],
    hand: Hand,
    settings: Settings,
    stack: Stack,
    command: CommandLine,
    tmp_path: Path,
) -> None:
    assert workers
    place, shelf = str(tmp_path / "kept"), FolderShelf(tmp_path / "kept")
    async with another_system(stack, tmp_path / "second") as booting, gateway(settings) as here:
        await forget(settings)
        world = await lived(hand, here)
        await killed(command, "backup", place, once=lambda: _has(shelf, "log/"))
        lines = {line["name"]: line for line in await command.lines("backup", place, "--json")}
        assert lines["accounts"]["records"] > 0
        assert lines["credentials"]["records"] >= 3
        before = await manifest_of(shelf)
        await world.fan.request("PUT", "/v1/me/profile", json={"display_name": "Bobby"})
        await hand.settled()
        assert (await command.lines("backup", place, "--json"))[0]["end"] >= lines["accounts"]["end"]
        manifest = await manifest_of(shelf)
        assert {one.name for one in before.segments()} & {one.name for one in manifest.segments()}
        assert "every digest is right" in await command.run("backup", place, "--check")
        assert "this system is not empty" in await command.run("restore", place, status=1)
        second = await booting
        there = settings_from(second.environment())
        onto = CommandLine(second.environment())
        await killed(onto, "restore", place, once=lambda: _holds(there))
        restored = {line["name"]: line for line in await onto.lines("restore", place, "--json")}
        assert restored == {line["name"]: line for line in await command.lines("backup", place, "--check", "--json")}
        assert "was restored before" in await onto.run("restore", place, status=1)
        assert await records_of(there, manifest) == await records_of(settings, manifest)
        assert (await KafkaTopics(there.kafka).bounds([FORGOTTEN[0]]))[FORGOTTEN].begin >= 5
        worker = WorkerProcess(("worker", "--index", "0"), second.environment(), tmp_path / "worker.log")
        try:
            assert await digests(onto) == await digests(command)
            async with gateway(there) as again:
                await _is_as_it_was(world, again)
        finally:
            await asyncio.to_thread(worker.end)


async def _is_as_it_was(world: World, again: Gateway) -> None:
    fan, leaver = world.fan.at(again), world.leaver.at(again)
    assert (await fan.request("GET", "/v1/me")).json()["display_name"] == "Bobby", "the session is alive"
    await fan.log_in()
    page = (await fan.request("GET", "/v1/feed")).json()
    assert [item["post"]["post_id"] if "post" in item else item["post_id"] for item in page["items"]] == [
        str(world.post_id)
    ]
    author = await fan.request("GET", f"/v1/accounts/{world.author.account_id}")
    assert author.json()["display_name"] == "Ada"
    gone = await fan.request("GET", f"/v1/accounts/{leaver.account_id}")
    assert gone.status_code == 404
    answer = await again.client.post("/v1/sessions", json={"username": leaver.username, "password": PASSWORD})
    assert answer.status_code == 401


async def _has(shelf: FolderShelf, prefix: str) -> bool:
    return any([names async for names in shelf.names(prefix)])


async def _holds(settings: Settings) -> bool:
    """Whether anything of the accounts is restored."""
    topics = KafkaTopics(settings.kafka)
    if not await topics.described([ACCOUNTS.name]):
        return False
    return any(bounds.end for bounds in (await topics.bounds([ACCOUNTS.name])).values())
