"""Gateways over the real engines, in this process: what uvicorn would serve, without a socket in between."""

import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
from confluent_kafka import Consumer, TopicPartition

from gateway.app import create_app
from gateway.bootstrap import Wired, connect
from gateway.commands.accounts import ChangePrivacy, set_privacy
from gateway.endpoint import Call, Command, Endpoint
from gateway.routes import ENDPOINTS
from gateway.services import EventLog, Services
from gateway.tokens import AccessTokens
from photolog.errors import LogUnavailable
from photolog.ids import now_ms
from photolog.log.kafka_config import client_config
from photolog.log.reading import stored_record
from photolog.log.record import EncodedRecord, StoredRecord
from photolog.positions import Position
from photolog.settings import KafkaSettings, Settings, key_bytes

PASSWORD = "a password of some length"


class CrashingLog:
    """A log in front of which the process dies, as often as it is told to."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.crashes = 0

    async def append_all(self, records: Iterable[EncodedRecord]) -> list[Position]:
        """Append, or do not."""
        if self.crashes > 0:
            self.crashes -= 1
            raise LogUnavailable("died between reservation and append")
        return await self._log.append_all(records)


@dataclass
class Gateway:
    """One gateway process."""

    client: httpx.AsyncClient
    log: CrashingLog

    async def person(self, **fields: Any) -> "Person":
        """Somebody new who is logged in."""
        username = f"person_{secrets.token_hex(6)}"
        answer = await self.client.post(
            "/v1/accounts", json={"username": username, "password": PASSWORD, **fields}, timeout=60
        )
        assert answer.status_code == 201, answer.text
        made = Person(self.client, username, answer.json()["account_id"], answer.headers["photolog-position"])
        await made.log_in()
        return made


@dataclass
class Person:
    """Somebody with an account and a session; `at` another gateway they are the same."""

    client: httpx.AsyncClient
    username: str
    account_id: str
    position: str
    access_token: str = ""
    refresh_token: str = ""

    async def log_in(self) -> None:
        """Open a session."""
        answer = await self.client.post("/v1/sessions", json={"username": self.username, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        self.access_token, self.refresh_token = answer.json()["access_token"], answer.json()["refresh_token"]

    def at(self, gateway: Gateway) -> "Person":
        """The same person at another gateway."""
        return replace(self, client=gateway.client)

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **rest: Any
    ) -> httpx.Response:
        """A request under the session."""
        sent = {"authorization": f"Bearer {self.access_token}", **(headers or {})}
        return await self.client.request(method, path, headers=sent, **rest)


async def _set_privacy(services: Services, call: Call) -> Command:
    return replace(await set_privacy(services, call), wait_for=())


UNWAITED = Endpoint("PUT", "/v1/me/privacy/unwaited", _set_privacy, "As it says", "test", body=ChangePrivacy)
"""A command that is answered by the log alone, for where no worker runs."""


@contextlib.asynccontextmanager
async def gateway(settings: Settings) -> AsyncIterator[Gateway]:
    """A gateway of its own: its own connections, its own caches."""
    wired_log: list[CrashingLog] = []

    @contextlib.asynccontextmanager
    async def connected(given: Settings) -> AsyncIterator[Wired]:
        async with connect(given) as wired:
            wired_log.append(CrashingLog(wired.services.log))
            yield Wired(replace(wired.services, log=wired_log[0]), wired.probes)

    app = create_app(settings, connected, (*ENDPOINTS, UNWAITED))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gateway.test", timeout=30) as client,
    ):
        yield Gateway(client, wired_log[0])


def operator(settings: Settings) -> dict[str, str]:
    """The header of an operator."""
    tokens = AccessTokens(key_bytes(settings.secrets.access_token_key), 600, now_ms)
    return {"authorization": f"Bearer {tokens.for_operator('grace', 600)}"}


def read_topic(kafka: KafkaSettings, topic: str, wanted: Callable[[StoredRecord], bool]) -> list[StoredRecord]:
    """All records of a topic that are wanted, from its beginning to its end now."""
    consumer = Consumer({**client_config(kafka), "group.id": secrets.token_hex(8), "enable.auto.commit": False})
    try:
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        found: list[StoredRecord] = []
        for partition in partitions:
            found += _read_partition(consumer, TopicPartition(topic, partition, 0))
        return [record for record in found if wanted(record)]
    finally:
        consumer.close()


def _read_partition(consumer: Consumer, start: TopicPartition) -> list[StoredRecord]:
    _, end = consumer.get_watermark_offsets(start, timeout=20)
    consumer.assign([start])
    found: list[StoredRecord] = []
    while not found or found[-1].offset + 1 < end:
        if end == 0:
            break
        found += [stored_record(message) for message in consumer.consume(1_000, timeout=0.05)]
    return found
