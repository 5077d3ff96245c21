"""A world that is backed up while it lives, and is there again, record by record and row by row, in another system."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backup.bootstrap import engines
from backup.kafka_topics import KafkaTopics
from backup.manifest import GroupOffset, Manifest, manifest_of
from backup.refilling import counted
from backup.shelf import Shelf
from backup.shelves import shelf_at
from cli.backup_progress import lines_of
from gateway.vault.erasures import CassandraErasures
from infra.local.ports import pick_free_port_base
from infra.local.stack import Stack
from photolog.engines.object_store import ObjectStore
from photolog.keyring import SubjectKeyring
from photolog.log.bulk import Appended, BulkProducer
from photolog.log.record import StoredRecord
from photolog.log.slices import Slice, SliceReader
from photolog.settings import Settings, key_bytes
from schemas import events as e
from schemas.topics import ACCOUNTS, MEDIA_REQUESTED, POST_VIEWS
from tests.conftest import settings_from
from tests.integration.command_line import CommandLine, commands_of
from tests.integration.gateways import PASSWORD, Gateway, Person, gateway
from tests.integration.workers import Hand, WorkerProcess, eventually, published
from transcode.intake import GROUP

KILLED = -9
FORGOTTEN = (POST_VIEWS.dead_letters, 0)
"""A partition of which the log keeps nothing of what it held."""


PAGE, TEST = "docs/BACKUP.md", "tests/integration/test_backup.py"


@dataclass(frozen=True, slots=True)
class World:
    """Somebody with a post, somebody who follows them, and two who left: before the last backup, and since."""

    author: Person
    fan: Person
    leaver: Person
    later: Person
    post_id: int


@pytest.fixture
def command(migrated: dict[str, str]) -> CommandLine:
    return CommandLine(migrated)


@asynccontextmanager
async def another_system(first: Stack, home: Path) -> AsyncIterator[asyncio.Task[Stack]]:
    """Engines under the keys of the first ones, and their object store; they boot while the block goes on."""
    same = ("PHOTOLOG_SECRETS__", "PHOTOLOG_S3__")
    kept = {name: value for name, value in first.environment().items() if name.startswith(same)}
    own = kept | {"PHOTOLOG_S3__BUCKET": "photolog-restored"}
    stack = Stack(home, pick_free_port_base(), engines_only=True, overrides=own)

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
    author, fan, leaver, later = [await here.person(display_name=name) for name in ("Ada", "Bob", "Eve", "Mallory")]
    post_id = await published(hand, int(author.account_id))
    await hand.append(
        e.PostLiked(actor_id=int(fan.account_id), post_id=post_id),
        e.CommentCreated(comment_id=hand.ids.next(), post_id=post_id, author_id=int(fan.account_id), text="well seen"),
    )
    assert (await fan.request("PUT", f"/v1/accounts/{author.account_id}/follow")).is_success
    await leaves(leaver)
    await ObjectStore(hand.settings.s3).put(*photograph(author), "image/jpeg", "private")
    return World(author, fan, leaver, later, post_id)


def photograph(author: Person) -> tuple[str, bytes]:
    return f"raw/{author.account_id}/1", b"what a camera saw"


async def leaves(who: Person) -> None:
    assert (await who.request("DELETE", "/v1/me", json={"password": PASSWORD})).is_success


async def commits(settings: Settings) -> list[GroupOffset]:
    """What the transcode workers committed; where none ran, that they are at the beginning."""
    topics, asked = KafkaTopics(settings.kafka), (GROUP, MEDIA_REQUESTED.name)
    if not await topics.committed(*asked):
        await topics.commit([GroupOffset(*asked, 0, 0)])
    return list(await topics.committed(*asked))


async def forget(settings: Settings) -> None:
    """What retention does to a partition."""
    await BulkProducer(settings.kafka).append([Appended(*FORGOTTEN, b"k", b"v", (), 0) for _ in range(5)])
    topics = KafkaTopics(settings.kafka)
    end = (await topics.bounds([FORGOTTEN[0]]))[FORGOTTEN].end
    await topics.delete_before(FORGOTTEN, end)


async def killed(command: CommandLine, *arguments: str, once: Callable[[], Awaitable[bool]]) -> None:
    """Run a command that is killed as soon as something holds."""
    process = await command.start(*arguments)

    async def is_time() -> bool:
        return process.returncode is not None or await once()

    await eventually(is_time)
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    output, errors = await process.communicate()
    assert process.returncode == KILLED, (output + errors).decode()


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


async def digests(command: CommandLine, *options: str) -> dict[str, tuple[int, str]]:
    """Rows and digest of each projection, once all of them have folded everything."""
    found: list[dict[str, Any]] = []

    async def is_folded() -> bool:
        found[:] = await command.lines("projections", *options, "--json")
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
    nightly = commands_of(PAGE, TEST)
    place = nightly[0][1]
    await ObjectStore(settings.s3.model_copy(update={"bucket": place.split("/")[2]})).ensure_bucket()
    shelf = shelf_at(place, settings.s3)
    async with another_system(stack, tmp_path / "second") as booting, gateway(settings) as here:
        await forget(settings)
        committed = await commits(settings)
        world = await lived(hand, here)
        await killed(command, "backup", place, once=lambda: _has(shelf, "log/"))
        await command.run(*nightly[0])
        before = await manifest_of(shelf)
        assert (await world.fan.request("PATCH", "/v1/me", json={"display_name": "Bobby"})).is_success
        await hand.settled()
        for arguments in nightly[1:]:
            await command.run(*arguments)
        manifest = await manifest_of(shelf)
        assert {one.name for one in before.segments()} & {one.name for one in manifest.segments()}
        assert "this system is not empty" in await command.run("restore", place, status=1)
        # Rows of accounts are compared one by one: those of whom the list erases are other ones.
        same = {name: one for name, one in (await digests(command)).items() if name != "accounts"}
        await leaves(world.later)
        second = await booting
        await _is_there_again(world, manifest, settings, second, same, tmp_path)
        again = KafkaTopics(settings_from(second.environment()).kafka)
        assert await again.committed(GROUP, MEDIA_REQUESTED.name) == committed


async def _is_there_again(
    world: World, manifest: Manifest, settings: Settings, second: Stack, same: dict[str, Any], folder: Path
) -> None:
    there, command = settings_from(second.environment()), CommandLine(second.environment())
    since = folder / "erased-since.txt"
    since.write_text(f"{world.later.account_id}\n")
    restore, look = commands_of(PAGE, f"in another system {TEST}")
    restore = [str(since) if word == since.name else word for word in restore]
    await killed(command, *restore, once=lambda: _holds(there))
    restored = {line["name"]: line for line in await command.lines(*restore, "--json")}
    assert restored["accounts"]["records"] > 0
    assert restored["credentials"]["records"] >= 4
    told = lines_of(manifest, [counted(one) for one in manifest.topics])
    assert restored == {line.name: msgspec.to_builtins(line) for line in told}
    assert await records_of(there, manifest) == await records_of(settings, manifest)
    assert (await KafkaTopics(there.kafka).bounds([FORGOTTEN[0]]))[FORGOTTEN].begin >= 5
    worker = WorkerProcess(("worker", "--index", "0"), second.environment(), folder / "worker.log")
    try:
        found = await digests(command, *look[1:])
        assert {name: one for name, one in found.items() if name != "accounts"} == same
        async with gateway(there) as again:
            await _is_as_it_was(world, again, there)
            await _stay_away(world, again, settings, there)
    finally:
        await asyncio.to_thread(worker.end)


async def _is_as_it_was(world: World, again: Gateway, settings: Settings) -> None:
    fan = world.fan.at(again)
    assert (await fan.request("GET", "/v1/me")).json()["display_name"] == "Bobby", "the session is alive"
    await fan.log_in()
    page = (await fan.request("GET", "/v1/feed")).json()
    assert [card["id"] for card in page["items"]] == [str(world.post_id)]
    whole = await ObjectStore(settings.s3).whole(photograph(world.author)[0])
    assert whole is not None
    assert (whole.data, whole.content_type) == (photograph(world.author)[1], "image/jpeg")
    author = await fan.request("GET", f"/v1/accounts/{world.author.account_id}")
    assert author.json()["display_name"] == "Ada"


async def _stay_away(world: World, again: Gateway, before: Settings, settings: Settings) -> None:
    """Who left is not there, and what they wrote opens no more; also who left after the backup, by the list."""
    for who in (world.leaver, world.later):
        answer = await again.client.post("/v1/sessions", json={"username": who.username, "password": PASSWORD})
        assert (who.username, answer.status_code) == (who.username, 401)
    async with engines(before) as first, engines(settings) as connected:
        rows, others = [
            {row.account_id: row for row in await one.session.execute("SELECT * FROM accounts")}
            for one in (connected, first)
        ]
        differing = {account_id for account_id in {*rows, *others} if rows.get(account_id) != others.get(account_id)}
        assert differing == {int(world.later.account_id)}
        assert rows[int(world.later.account_id)].username is None
        keyring = SubjectKeyring(connected.session, key_bytes(settings.secrets.master_key))
        left = [int(world.leaver.account_id), int(world.later.account_id)]
        await keyring.ensure([*left, int(world.fan.account_id)])
        assert [keyring.key_of(one) for one in left] == [None, None]
        assert keyring.key_of(int(world.fan.account_id)) is not None
        assert set(left) <= set(await CassandraErasures(connected.session).unfinished())


async def _has(shelf: Shelf, prefix: str) -> bool:
    return any([names async for names in shelf.names(prefix)])


async def _holds(settings: Settings) -> bool:
    """Whether anything of the accounts is restored."""
    topics = KafkaTopics(settings.kafka)
    if not await topics.described([ACCOUNTS.name]):
        return False
    return any(bounds.end for bounds in (await topics.bounds([ACCOUNTS.name])).values())
