"""Limits on the real gateway: shared by its processes, bounded while Redis is away. The Valkey is this test's own."""

import os
import signal
from contextlib import ExitStack
from pathlib import Path

from pydantic import SecretStr
from redis import Redis

from infra.local.ports import pick_free_port_base, ports_from
from infra.local.valkey_node import valkey_node
from photolog.rates import Rate
from photolog.settings import Settings
from tests.integration.gateways import PASSWORD, Gateway, Person, gateway
from tests.integration.workers import eventually

READS, GUESSES = 6, 3


def narrow(settings: Settings, url: str) -> Settings:
    """A deployment with few reads and guesses, whose buckets are in this Valkey."""
    redis = settings.redis.model_copy(update={"url": SecretStr(url), "call_timeout_ms": 400})
    rates = {"rate_read": Rate(READS, 86_400), "rate_guesses": Rate(GUESSES, 86_400)}
    limits = settings.limits.model_copy(update=rates)
    return settings.model_copy(update={"redis": redis, "limits": limits})


async def read(person: Person, times: int = 1) -> list[int]:
    return [(await person.request("GET", "/v1/sessions")).status_code for _ in range(times)]


async def guess(one: Gateway, username: str, password: str = "not the password") -> int:
    answer = await one.client.post("/v1/sessions", json={"username": username, "password": password})
    return answer.status_code


async def test_processes_share_what_is_left_and_go_on_bounded_while_redis_is_killed(
    migrated: dict[str, str], settings: Settings, tmp_path: Path
) -> None:
    port = ports_from(pick_free_port_base(["valkey"]))["valkey"]
    with ExitStack() as nodes:
        url = nodes.enter_context(valkey_node(tmp_path / "first", port))
        few = narrow(settings, url)
        async with gateway(few) as here, gateway(few) as there:
            ada = await here.person()
            statuses = [
                status for _ in range(READS) for person in (ada, ada.at(there)) for status in await read(person)
            ]
            assert statuses == [200] * READS + [429] * READS
            assert [await guess(one, "nobody") for one in (here, there) for _ in range(GUESSES)] == [401] * 3 + [
                429
            ] * 3

            with Redis.from_url(url) as node:
                assert not any(b"nobody" in key or ada.username.encode() in key for key in node.scan_iter())
                os.kill(node.info("server")["process_id"], signal.SIGKILL)
            assert await read(ada, READS + 3) == [200] * READS + [429] * 3, "each process counts alone"
            assert await read(ada.at(there)) == [200]
            assert [await guess(here, ada.username) for _ in range(GUESSES + 1)] == [401] * GUESSES + [429]
            assert await guess(there, ada.username, PASSWORD) == 201

            nodes.enter_context(valkey_node(tmp_path / "second", port))

            async def together_again() -> bool:
                return await read(ada) == [200]

            await eventually(together_again)
