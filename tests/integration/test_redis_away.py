"""Redis hangs, is killed, and comes back from an older copy: pages come, say what they lack, and heal."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.stack import Stack
from photolog.settings import Settings
from tests.integration.gateways import Gateway, Person, gateway
from tests.integration.workers import Hand, WorkerProcess, eventually, published


@pytest.fixture
async def people(migrated: dict[str, str], settings: Settings) -> AsyncIterator[list[Person]]:
    """Some people at a gateway of their own, which takes Redis to be away sooner."""
    redis = settings.redis.model_copy(update={"call_timeout_ms": 400})
    async with gateway(settings.model_copy(update={"redis": redis})) as one:
        assert isinstance(one, Gateway)
        yield list(await asyncio.gather(*(one.person() for _ in range(4))))


async def follow(hand: Hand, follower: Person, followee: Person) -> None:
    answer = await follower.request(
        "PUT", f"/v1/accounts/{followee.account_id}/follow", headers={"photolog-position": followee.position}
    )
    assert answer.status_code == 200, answer.text


async def page(reader: Person, **query: Any) -> dict[str, Any]:
    answer = await reader.request("GET", "/v1/feed", params=query, timeout=60)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def feed(reader: Person, limit: int = 2) -> tuple[list[int], set[str]]:
    """All posts of a feed, and what its pages lacked."""
    shown = await page(reader, limit=limit)
    ids, reasons = [int(item["id"]) for item in shown["items"]], set(shown["reasons"])
    while shown["next_cursor"] is not None:
        shown = await page(reader, limit=limit, cursor=shown["next_cursor"])
        ids += [int(item["id"]) for item in shown["items"]]
        reasons |= set(shown["reasons"])
    return ids, reasons


async def shows(reader: Person, expected: list[int]) -> None:
    """Return once the reader's feed is this one, and lacks nothing."""

    async def is_shown() -> bool:
        return await feed(reader) == (expected, set())

    await eventually(is_shown)


async def test_pages_come_from_rows_while_redis_hangs_and_while_it_is_killed(
    stack: Stack, workers: list[WorkerProcess], hand: Hand, people: list[Person]
) -> None:
    reader, author, *_ = people
    await follow(hand, reader, author)
    posts = [await published(hand, int(author.account_id)) for _ in range(5)][::-1]
    await shows(reader, posts)

    first = await page(reader, limit=2)
    os.kill(stack.pids["valkey"], signal.SIGSTOP)
    try:
        second = await page(reader, limit=2, cursor=first["next_cursor"])
    finally:
        os.kill(stack.pids["valkey"], signal.SIGCONT)
    assert [int(item["id"]) for item in second["items"]] == posts[2:4]
    assert (second["degraded"], second["reasons"]) == (True, ["cache-away"])
    assert second["complete"]["below"] == first["complete"]["down_to"]

    await shows(reader, posts)
    killed = stack.kill("valkey")
    assert (await feed(reader))[0] == posts

    async def is_another() -> bool:
        return stack.pids.get("valkey", killed) != killed

    await eventually(is_another)
    assert (await feed(reader))[0] == posts
    await shows(reader, posts)


async def test_a_redis_that_comes_back_from_an_older_copy_heals(
    stack: Stack, workers: list[WorkerProcess], hand: Hand, people: list[Person], tmp_path: Path
) -> None:
    reader, author, newly_followed, blocked = people
    for followee in (author, blocked):
        await follow(hand, reader, followee)
    old, unseen, hidden = [
        await published(hand, int(person.account_id)) for person in (author, newly_followed, blocked)
    ]
    await hand.settled()
    await shows(reader, [hidden, old])

    folder = await _kept(hand, tmp_path / "older")
    await follow(hand, reader, newly_followed)
    refused = await reader.request("PUT", f"/v1/accounts/{blocked.account_id}/block")
    assert refused.status_code in (200, 204), refused.text
    pushed, own = [await published(hand, int(person.account_id)) for person in (author, reader)]
    await hand.settled()
    expected = [own, pushed, unseen, old]
    await shows(reader, expected)

    exits = [len(worker.exits) for worker in workers]
    shutil.move(folder, tmp_path / "newer")
    shutil.copytree(tmp_path / "older", folder)
    stack.kill("valkey")

    async def a_worker_noticed() -> bool:
        return any(
            len(worker.exits) > before and "PositionLost" in worker.log.read_text()
            for worker, before in zip(workers, exits, strict=True)
        )

    await eventually(a_worker_noticed)
    await shows(reader, expected)


async def _kept(hand: Hand, copy: Path) -> Path:
    """Copy what Redis wrote to its disk so far; answers where that is."""
    await hand.redis.execute_command("WAITAOF", 1, 0, 10_000)
    names: dict[str, str] = {}
    for name in ("dir", "appenddirname"):
        answer = await hand.redis.config_get(name)
        names[name] = next(iter(answer.values()))
    folder = Path(names["dir"]) / names["appenddirname"]
    shutil.copytree(folder, copy)
    return folder
