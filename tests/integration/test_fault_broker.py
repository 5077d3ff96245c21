"""The broker stands still for half a minute while people act."""

import asyncio
import secrets
import time

from infra.local.stack import Stack
from tests.integration.fault_checks import holds
from tests.integration.fault_wishes import liking
from tests.integration.fault_world import FaultWorld, stopped
from tests.integration.workers import Hand, WorkerProcess

PAUSE_SECONDS = 30.0
BOUND_SECONDS = 8.0  # the gateway waits two seconds for the log, and librdkafka looks at its timeouts once a second


async def test_a_broker_that_stands_still_refuses_commands_in_time_and_loses_none(
    workers: list[WorkerProcess], hand: Hand, town: FaultWorld, stack: Stack
) -> None:
    who = town.residents[0]
    like, key = liking(who, await town.published(who)), secrets.token_hex(8)
    async with town.living() as tally:
        with stopped(stack.pids["kafka"]):
            began = time.monotonic()
            refused, seconds = await town.attempt(like, key)
            shown = await town.request(who, "GET", "/v1/feed")
            await asyncio.sleep(PAUSE_SECONDS - (time.monotonic() - began))
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/log-unavailable")
        assert refused.headers["retry-after"]
        assert shown.status_code == 200, "a query needs no log"
        assert await town.wish(like, key=key)
    assert "/problems/log-unavailable" in tally.kinds
    assert max(seconds, *tally.unavailable) < BOUND_SECONDS
    await holds(town, hand, workers)
