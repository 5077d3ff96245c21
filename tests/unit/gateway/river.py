"""The whole gateway over memory adapters: its real ASGI application, and a log whose jobs run when a test says so."""

import base64
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import httpx
from argon2 import PasswordHasher
from pydantic import SecretStr

from gateway.app import create_app
from gateway.authentication import Authentication
from gateway.bootstrap import Wired
from gateway.cursors import Cursors
from gateway.endpoint import Endpoint
from gateway.limits.memory_buckets import MemoryBuckets
from gateway.passwords import Passwords
from gateway.routes import ENDPOINTS
from gateway.services import Services
from gateway.streams.desk import open_desk
from gateway.streams.grants import GrantKeeper
from gateway.tokens import AccessTokens
from gateway.vault.memory import memory_vault
from photolog import seal
from photolog.errors import LogUnavailable, StoreUnavailable
from photolog.ids import EPOCH_MS, SnowflakeSource
from photolog.log.record import EncodedRecord
from photolog.positions import Position
from photolog.settings import (
    CassandraSettings,
    GatewaySettings,
    KafkaSettings,
    LimitSettings,
    RedisSettings,
    RegistrySettings,
    S3Settings,
    SecretSettings,
    Settings,
    StreamSettings,
    key_bytes,
)
from projections.cards import cache_writes
from projections.catalogue import PROJECTIONS
from projections.fold import Recorded, fold_batch, needed
from projections.graph import GRAPH_PROJECTION
from projections.seen_stories import SEEN_STORIES_PROJECTION
from projections.stores.memory_cache import MemoryCache
from projections.stores.memory_feeds import MemoryTimelines
from projections.stores.memory_recent import MemoryRecent
from projections.stores.memory_rows import MemoryRows
from projections.stores.memory_seen import MemorySeen
from projections.stores.pinning import never_rebuilt
from projections.stores.port import CacheWrite, Missing, Source, StoredPosition
from projections.stories import STORIES_PROJECTION
from projections.tables import Row, RowKey
from schemas.serde import SCHEMAS, Serde
from streams.folding import Folded, Reaction, Reactions
from streams.reactions import FolloweesReaction, NewFollowingsReaction
from streams.seen import SeenReaction
from streams.step import Batch
from streams.user_stories import UserStoriesReaction
from tests.unit.gateway.stream_log import MemoryStreamLog

PARTITION = 2
PASSWORD = "correct horse battery"


# As on the local stack: all that a test does comes from one address.
WIDE = LimitSettings.model_validate(
    {name: "1000000/60" for name in LimitSettings.model_fields if name.startswith("rate_") and "guess" not in name}
)


def settings_of(limits: LimitSettings = WIDE, streams: StreamSettings | None = None, **gateway: Any) -> Settings:
    """Settings whose engines are nowhere."""
    key = base64.b64encode(b"k" * 32).decode()
    return Settings.model_construct(
        kafka=KafkaSettings(bootstrap_servers="log.test:9092"),
        registry=RegistrySettings(url="http://registry.test"),
        cassandra=CassandraSettings(hosts=["rows.test"]),
        redis=RedisSettings(url=SecretStr("redis://cache.test")),
        s3=S3Settings(region="local", bucket="media"),
        gateway=GatewaySettings.model_validate(
            {
                "host": "gateway.test",
                "port": 80,
                "public_url": "https://photolog.test",
                "position_wait_ms": 200,
                "feed_budget_ms": 30_000,
            }
            | gateway
        ),
        secrets=SecretSettings.model_validate({"access_token_key": key, "master_key": key, "hash_key": key}),
        limits=limits,
        streams=streams or StreamSettings(),
    )


class MemoryKeyring:
    """Subject keys in a dictionary."""

    def __init__(self) -> None:
        self.keys: dict[int, bytes] = {}

    async def create(self, subject_id: int) -> None:
        self.keys.setdefault(subject_id, seal.new_key())

    async def ensure(self, subject_ids: Iterable[int]) -> None:
        """Nothing is ever away here."""

    def key_of(self, subject_id: int) -> bytes | None:
        return self.keys.get(subject_id)


class FailingCache(MemoryCache):
    """A cache that can be away."""

    away = False

    async def merge(self, writes: Sequence[CacheWrite]) -> None:
        self._answer()
        await super().merge(writes)

    async def read(self, wanted: Sequence[tuple[str, Sequence[str]]]) -> list[list[bytes | Missing | None]]:
        self._answer()
        return await super().read(wanted)

    def _answer(self) -> None:
        if self.away:
            raise StoreUnavailable("the cache is away")


class River:
    """A gateway, its log, and its jobs.

    `now_ms` is the time. The clock of the gateway and the jobs is `ahead_ms` ahead of it, where they go by the end of
    something; that of engines which keep caches, and of tokens, never is.

    `records` is the log. A job folds a record at once while `flowing`, else when `flow` is called. `before_append` runs
    in front of an append, `log_away` refuses it.
    """

    def __init__(self, endpoints: Sequence[Endpoint] = ENDPOINTS, limits: LimitSettings = WIDE, **gateway: Any) -> None:
        self.now_ms = EPOCH_MS + 86_400_000
        self.ahead_ms = 0
        self.settings = settings_of(limits, **gateway)
        self.rows = MemoryRows(self._clock_ms)
        self.cache = FailingCache(clock_ms=lambda: self.now_ms)
        self.timelines = MemoryTimelines()
        self.recent = MemoryRecent()
        self.seen = MemorySeen(lambda: self.now_ms)
        self.vault = memory_vault()
        self.buckets = MemoryBuckets(lambda: self.now_ms * 1_000)
        self.keyring = MemoryKeyring()
        self.serde = Serde({event: number for number, event in enumerate(SCHEMAS, start=1)})
        self.records: list[EncodedRecord] = []
        self.flowing = True
        self.log_away = False
        self.before_append: Callable[[], Awaitable[None]] | None = None
        self._folded = 0
        self._endpoints = endpoints
        self._reactions = self._following()
        self.services = self._services()

    def _clock_ms(self) -> int:
        return self.now_ms + self.ahead_ms

    async def append_all(self, records: Iterable[EncodedRecord]) -> list[Position]:
        """What the producer does."""
        if self.before_append is not None:
            await self.before_append()
        if self.log_away:
            raise LogUnavailable("the log is away")
        positions = []
        for record in records:
            positions.append(Position(record.topic, PARTITION, len(self.records)))
            self.records.append(record)
        if self.flowing:
            await self.flow()
        return positions

    async def ends(self) -> Mapping[tuple[str, int], int]:
        """What `photolog.log.ends` tells; offsets here count through all topics."""
        if self.log_away:
            raise LogUnavailable("the log is away")
        return {(record.topic, PARTITION): place + 1 for place, record in enumerate(self.records)}

    async def flow(self) -> None:
        """What the jobs do with everything that they have not folded yet."""
        for offset in range(self._folded, len(self.records)):
            recorded = self.recorded(offset)
            for projection in PROJECTIONS:
                if recorded.topic in {topic.name for topic in projection.topics}:
                    state = await self.rows.load(needed(projection, recorded))
                    outcome = fold_batch(projection, state, [recorded])
                    await self.rows.apply([list(outcome.others.values()), list(outcome.aggregates.values())])
                    await self._write_through(needed(projection, recorded))
                    source = Source(projection.name, recorded.topic, PARTITION)
                    if projection.name in self._reactions:
                        await self._reactions[projection.name].react(Folded(Batch(source, [recorded], {}), state))
                    await self.rows.advance(source, StoredPosition(offset + 1))
        self._folded = len(self.records)

    def recorded(self, offset: int) -> Recorded:
        """The event at an offset."""
        record = self.records[offset]
        headers = dict(record.headers)
        event = self.serde.open_record(self.serde.parse(record.value), self.keyring.key_of)
        event_id = UUID(headers["ce_id"].decode())
        return Recorded(event, event_id, record.topic, PARTITION, offset, record.timestamp_ms)

    @contextlib.asynccontextmanager
    async def client(self, address: str = "203.0.113.7") -> AsyncIterator[httpx.AsyncClient]:
        """A client of the running application, at this address."""
        app = create_app(self.settings, self._connected, self._endpoints)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 50_000))
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="https://photolog.test") as client,
        ):
            yield client

    @contextlib.asynccontextmanager
    async def _connected(self, settings: object) -> AsyncIterator[Wired]:
        yield Wired(self.services, {})

    async def _write_through(self, keys: Iterable[RowKey[Row]]) -> None:
        """The jobs' caches of the rows that an event names."""
        held = await self.rows.load(list(keys))
        writes = [write for key, kept in held.items() if kept.offset >= 0 for write in cache_writes(key, kept)]
        await self.cache.merge(writes)

    def _following(self) -> Mapping[str, Reaction]:
        """What the jobs do for feeds and trays."""
        entries = self.settings.limits.timeline_entries
        return {
            GRAPH_PROJECTION.name: Reactions(
                FolloweesReaction(self.cache), NewFollowingsReaction(self.rows, self.timelines, entries)
            ),
            STORIES_PROJECTION.name: UserStoriesReaction(self.rows, self.cache),
            SEEN_STORIES_PROJECTION.name: SeenReaction(self.seen),
        }

    def _services(self) -> Services:
        def clock_ms() -> int:
            return self.now_ms

        key = key_bytes(self.settings.secrets.hash_key)
        tokens = AccessTokens(key, self.settings.limits.access_token_seconds, clock_ms)
        return Services(
            rows=self.rows,
            timelines=self.timelines,
            recent=self.recent,
            seen=self.seen,
            cache=self.cache,
            objects=None,  # type: ignore[arg-type]  # nothing here touches media
            log=self,
            ends=self,
            serde=self.serde,
            keyring=self.keyring,
            ids=SnowflakeSource(1, clock_ms),
            vault=self.vault,
            settings=self.settings,
            cursors=Cursors(key),
            passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
            tokens=tokens,
            authentication=Authentication(
                tokens,
                self.cache,
                self.rows,
                self.vault.sessions,
                self.vault.erasures,
                self.settings.limits.session_cache_seconds,
                clock_ms,
            ),
            streams=open_desk(
                self.settings,
                MemoryStreamLog(self),
                self.rows,
                self.timelines,
                self.serde,
                GrantKeeper(self.vault.grants, key, clock_ms),
                Cursors(key),
                clock_ms,
                never_rebuilt(),
            ),
            clock_ms=self._clock_ms,
            buckets=self.buckets,
        )


class Person:
    """Somebody with an account and a session."""

    def __init__(self, client: httpx.AsyncClient, username: str) -> None:
        self._client = client
        self.username = username
        self.account_id = ""
        self.tokens: dict[str, Any] = {}

    async def sign_up(self, **fields: Any) -> "Person":
        answer = await self._client.post(
            "/v1/accounts", json={"username": self.username, "password": PASSWORD, **fields}
        )
        assert answer.status_code == 201, answer.text
        self.account_id = answer.json()["account_id"]
        return self

    async def log_in(self) -> "Person":
        answer = await self._client.post("/v1/sessions", json={"username": self.username, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        self.tokens = answer.json()
        return self

    @property
    def authorization(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens['access_token']}"}

    async def request(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **rest: Any
    ) -> httpx.Response:
        return await self._client.request(method, path, headers=self.authorization | (headers or {}), **rest)


async def person(client: httpx.AsyncClient, username: str, **fields: Any) -> Person:
    """Somebody who signed up and logged in."""
    return await (await Person(client, username).sign_up(**fields)).log_in()
