"""The two workers are killed by turns, every few seconds for a minute, while people act."""

import asyncio
import random
import time

from tests.integration.fault_checks import holds
from tests.integration.fault_world import FaultWorld
from tests.integration.workers import Hand, WorkerProcess

MINUTE_SECONDS = 60.0
KILLED = -9


async def test_workers_killed_every_few_seconds_for_a_minute_lose_nothing(
    workers: list[WorkerProcess], hand: Hand, town: FaultWorld
) -> None:
    chance = random.Random(town.seed)
    exits = [len(worker.exits) for worker in workers]
    kills = 0
    async with town.living():
        began = time.monotonic()
        while time.monotonic() - began < MINUTE_SECONDS:
            workers[kills % len(workers)].kill()
            kills += 1
            await asyncio.sleep(chance.uniform(2, 6))
    await holds(town, hand, workers)
    killed = [worker.exits[seen:].count(KILLED) for worker, seen in zip(workers, exits, strict=True)]
    # One that was just about to be started again could not be killed.
    assert min(killed) >= 4
