"""The log goes away under load, stopped and killed: bounded answers, and nothing acknowledged is lost.

It has a stack of its own, because others could not live with what is done to the broker here.
"""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from infra.local.home import REPOSITORY
from infra.local.ports import pick_free_port_base
from infra.local.stack import Stack
from photolog.settings import Settings
from tests.integration.gateways import UNWAITED, Gateway, Person, gateway, read_topic

APPEND_TIMEOUT_MS = 1_500
BOUND_SECONDS = APPEND_TIMEOUT_MS / 1000 + 4  # librdkafka looks at its timeouts once a second


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Engines of this module's own, with everything that `migrate` makes."""
    with Stack(tmp_path_factory.mktemp("kafka-away"), pick_free_port_base(), engines_only=True) as stack:
        subprocess.run(
            [sys.executable, "-m", "cli.app", "migrate"],
            cwd=REPOSITORY,
            env={**os.environ, **stack.environment()},
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=240,
        )
        yield stack


@pytest.fixture(scope="module")
def own_settings(own_stack: Stack) -> Settings:
    """Settings with a short append timeout."""
    environment = own_stack.environment() | {"PHOTOLOG_KAFKA__APPEND_TIMEOUT_MS": str(APPEND_TIMEOUT_MS)}
    with pytest.MonkeyPatch.context() as patch:
        for key, value in environment.items():
            patch.setenv(key, value)
        return Settings()  # type: ignore[call-arg]  # the environment fills the groups


@pytest.fixture(scope="module")
async def person(own_settings: Settings) -> AsyncIterator[Person]:
    """Somebody at the gateway of this module."""
    async with gateway(own_settings) as one:
        assert isinstance(one, Gateway)
        yield await one.person()


async def _change(person: Person, key: str) -> httpx.Response:
    return await person.request("PUT", UNWAITED.path, json={"private": True}, headers={"idempotency-key": key})


async def _event_ids(settings: Settings, person: Person) -> set[bytes | None]:
    records = await asyncio.to_thread(
        read_topic, settings.kafka, "accounts", lambda record: record.key == person.account_id.encode()
    )
    return {record.header("ce_id") for record in records if record.header("ce_type") == b"privacy.changed"}


async def test_a_stopped_broker_is_a_503_within_the_bound_and_a_retry_succeeds(
    own_stack: Stack, own_settings: Settings, person: Person
) -> None:
    before = await _event_ids(own_settings, person)
    broker, key = own_stack.pids["kafka"], secrets.token_hex(8)
    os.kill(broker, signal.SIGSTOP)
    try:
        started = time.monotonic()
        refused = await _change(person, key)
        assert time.monotonic() - started < BOUND_SECONDS
        unready = await person.client.get("/readyz")
    finally:
        os.kill(broker, signal.SIGCONT)
    assert refused.status_code == 503
    assert refused.json()["type"] == "/problems/log-unavailable"
    assert refused.headers["retry-after"]
    assert unready.status_code == 503
    assert unready.json()["engines"]["kafka"] == "unreachable"
    assert (await _retried(person, key)).status_code == 200
    assert len(await _event_ids(own_settings, person) - before) == 1, "the retry is the same logical event"


async def test_queries_are_answered_while_the_log_is_away(own_stack: Stack, person: Person) -> None:
    broker = own_stack.pids["kafka"]
    os.kill(broker, signal.SIGSTOP)
    try:
        assert (await person.request("GET", "/v1/sessions")).status_code == 200
    finally:
        os.kill(broker, signal.SIGCONT)


async def test_nothing_acknowledged_is_lost_when_the_broker_is_killed_under_load(
    own_stack: Stack, own_settings: Settings, person: Person
) -> None:
    before = await _event_ids(own_settings, person)
    killed, acknowledged, refused = asyncio.Event(), [], []

    async def command(number: int) -> None:
        key = f"{number}-{secrets.token_hex(8)}"
        answer = await _change(person, key)
        if answer.status_code == 200:
            acknowledged.append(key)
        else:
            assert answer.status_code == 503, answer.text
            assert answer.headers["retry-after"]
            refused.append(key)

    async def load() -> None:
        for start in range(0, 240, 8):
            await asyncio.gather(*(command(number) for number in range(start, start + 8)))
            if start == 80:
                own_stack.kill("kafka")
                killed.set()

    await asyncio.wait_for(load(), 200)
    assert killed.is_set()
    assert refused, "the broker was not away for anybody"
    assert len(acknowledged) >= 80
    # A retry of every command, acknowledged or not, shows by its event that there is one of each.
    for key in refused:
        assert (await _retried(person, key)).status_code == 200
    assert len(await _event_ids(own_settings, person) - before) == len(acknowledged) + len(refused)


async def _retried(person: Person, key: str) -> httpx.Response:
    """What a client does with Retry-After, for a while."""
    give_up = time.monotonic() + 60
    while True:
        answer = await _change(person, key)
        if answer.status_code != 503 or time.monotonic() > give_up:
            return answer
        await asyncio.sleep(int(answer.headers["retry-after"]))
