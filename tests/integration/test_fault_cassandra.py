"""Cassandra stands still while people act: commands are refused in bounded time, jobs wait, and nothing is lost."""

import asyncio
import secrets
import time

from infra.local.stack import Stack
from schemas import events as e
from tests.integration.fault_checks import holds
from tests.integration.fault_wishes import liking
from tests.integration.fault_world import FaultWorld, stopped
from tests.integration.workers import Hand, WorkerProcess, eventually

PAUSE_SECONDS = 12.0
BOUND_SECONDS = 8.0  # the gateway waits two seconds for each answer of Cassandra, of which a command needs a few


async def stalled(workers: list[WorkerProcess]) -> bool:
    return any([await asyncio.to_thread(worker.shown, "photolog_stalled") for worker in workers])


async def test_a_cassandra_that_stands_still_refuses_commands_and_stalls_the_jobs(
    workers: list[WorkerProcess], hand: Hand, town: FaultWorld, stack: Stack
) -> None:
    who, fans = town.residents[0], [hand.ids.next() for _ in range(50)]
    post_id, key = await town.published(who), secrets.token_hex(8)
    async with town.living() as tally:
        with stopped(stack.pids["cassandra"]):
            began = time.monotonic()
            refused, seconds = await town.attempt(liking(who, post_id), key)
            # The log is there: what others append meanwhile is the jobs' to wait with.
            likes = await hand.append(*(e.PostLiked(actor_id=fan, post_id=post_id) for fan in fans))
            await eventually(lambda: stalled(workers))
            await asyncio.sleep(max(0.0, PAUSE_SECONDS - (time.monotonic() - began)))
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/store-unavailable")
        assert refused.headers["retry-after"]
        assert await town.wish(liking(who, post_id), key=key)
        await hand.applied("likes", likes)
    assert "/problems/store-unavailable" in tally.kinds
    assert max(seconds, *tally.unavailable) < BOUND_SECONDS
    await holds(town, hand, workers)
    assert not await stalled(workers)
