"""The wall clock of a gateway and of a worker steps back by ten minutes while people act through them."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from infra.local.ports import pick_free_port_base
from photolog.client import gateway_pool
from schemas import events as e
from tests.integration.fault_checks import holds
from tests.integration.fault_wishes import posting
from tests.integration.fault_world import FaultWorld
from tests.integration.workers import Hand, WorkerProcess, eventually, wait_serving

STEP_MS = -600_000
SLACK_MS = 60_000
POSTS_EACH = 2


class Clocked:
    """A gateway and a worker whose clock can be set, beside those whose clock is right.

    Args:
        environment: the stack's keys.
        folder: of their own.
    """

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._file = folder / "offset_ms"
        self.set(0)
        port = pick_free_port_base()
        self.address = f"http://127.0.0.1:{port}"
        environment = environment | {
            "PHOTOLOG_GATEWAY__PORT": str(port),
            "PHOTOLOG_GATEWAY__PUBLIC_URL": self.address,
        }
        self.worker, self.gateway = (
            WorkerProcess(
                (str(self._file), *arguments),
                environment,
                folder / f"{arguments[0]}.log",
                module="tests.integration.shifted_clock",
            )
            for arguments in (("worker", "--index", "7"), ("gateway",))
        )

    def set(self, offset_ms: int) -> None:
        """Let their clocks be off by so much from now on."""
        written = self._file.with_suffix(".new")
        written.write_text(str(offset_ms))
        os.replace(written, self._file)

    def end(self) -> None:
        """Stop both."""
        self.gateway.end()
        self.worker.end()


@pytest.fixture
async def clocked(migrated: dict[str, str], tmp_path: Path, workers: list[WorkerProcess]) -> AsyncIterator[Clocked]:
    """Both, once the worker has its share of the partitions."""
    found = Clocked(migrated, tmp_path)

    async def has_a_share() -> bool:
        return any(topic == "posts" for _, topic, _ in await asyncio.to_thread(found.worker.lags))

    try:
        await asyncio.to_thread(found.worker.wait_ready)
        await asyncio.to_thread(wait_serving, found.address)
        # Four partitions are two for each of two workers: one of the others has to let go of its own.
        workers[-1].terminate()
        await eventually(has_a_share)
        yield found
    finally:
        await asyncio.to_thread(found.end)


async def acts(town: FaultWorld, http: httpx.AsyncClient) -> list[int]:
    """Everyone posts through a gateway, and likes what they made; the posts."""
    made: list[int] = []
    for who in [*town.residents] * POSTS_EACH:
        assert await town.wish(posting(who), http=http)
        made.append(town.posts[-1])
    return made


async def test_a_clock_that_steps_back_misplaces_nothing(
    workers: list[WorkerProcess], hand: Hand, town: FaultWorld, clocked: Clocked
) -> None:
    async with gateway_pool(clocked.address) as http, town.living():
        before = await acts(town, http)
        seen = len(town.acknowledged)
        clocked.set(STEP_MS)
        stepped_ms = time.time_ns() // 1_000_000
        after = await acts(town, http)
    await holds(town, hand, (*workers, clocked.worker))
    assert before + after == sorted(before + after), "an id went back"
    made = [(e.PostCreated, (town.log.world.posts[post_id].owner_id, post_id)) for post_id in after]
    shifted = [done.position for done in town.acknowledged[seen:] if done.deed in made]
    assert len(shifted) == len(after)
    assert all(town.log.times_ms[position] < stepped_ms + STEP_MS + SLACK_MS for position in shifted)
    published = [town.log.world.posts[post_id].published_ms for post_id in after]
    assert any(at is not None and at < stepped_ms + STEP_MS + SLACK_MS for at in published)
