"""A Cassandra session for asyncio: prepared once, quorum by default, errors as ours."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import lru_cache, partial
from typing import Any

from cassandra import ConsistencyLevel, DriverException
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable, ResponseFuture, Session
from cassandra.policies import DCAwareRoundRobinPolicy, ExponentialReconnectionPolicy, TokenAwarePolicy
from cassandra.query import PreparedStatement, named_tuple_factory

from photolog.engines.cassandra_batches import batched, by_replicas, request_of
from photolog.engines.cassandra_many import ManyStatements, Request, of_ours
from photolog.settings import CassandraSettings

_CONCURRENCY = 128
_WRITES_ALONE_MAX = 4
_CONNECT_SECONDS = 10.0
_RECONNECT_SECONDS_FIRST = 0.5
_RECONNECT_SECONDS_MAX = 5.0
_DEFINE_SECONDS = 60.0
_STATEMENTS_MAX = 1_000
_PAGE_ROWS = 1_000


class CassandraSession:
    """One session of a process.

    Reads and writes are LOCAL_QUORUM, lightweight transactions LOCAL_SERIAL. Statements are prepared once and kept.
    """

    def __init__(self, cluster: Cluster, session: Session) -> None:
        self._cluster = cluster
        self._session = session
        self._prepared: dict[str, PreparedStatement] = {}
        self._preparing = asyncio.Lock()

    @classmethod
    async def connect(cls, settings: CassandraSettings, keyspace: bool = True) -> "CassandraSession":
        """Open a session.

        Args:
            settings: addresses, credentials, TLS.
            keyspace: whether to work in the configured keyspace, which must exist then.

        Raises:
            StoreUnavailable: no host answered.
        """
        cluster = cluster_of(settings)
        try:
            session = await asyncio.to_thread(cluster.connect, settings.keyspace if keyspace else None)
        except (NoHostAvailable, DriverException) as error:
            await asyncio.to_thread(cluster.shutdown)
            raise of_ours(error) from error
        return cls(cluster, session)

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.to_thread(self._cluster.shutdown)

    async def execute(
        self, cql: str, parameters: Sequence[Any] = (), *, serial: bool = False, idempotent: bool = True
    ) -> list[Any]:
        """Run one statement; all of its pages.

        Args:
            cql: the statement, with `?` for its parameters.
            parameters: their values.
            serial: read at LOCAL_SERIAL, which sees every lightweight transaction.
            idempotent: False for a lightweight transaction, which the driver must not repeat by itself.

        Returns:
            Named tuples.

        Raises:
            StoreUnavailable: no answer in time.
        """
        statement = self._prepared.get(cql) or await self._prepare(cql)
        bound = statement.bind(tuple(parameters))
        bound.is_idempotent = idempotent
        if serial:
            bound.consistency_level = ConsistencyLevel.LOCAL_SERIAL
        return await self._run(bound)

    async def define(self, cql: str) -> None:
        """Run a statement that changes the schema, with patience: all nodes agree on it before it returns.

        Raises:
            StoreUnavailable: no answer in time.
        """
        try:
            await asyncio.to_thread(self._session.execute, cql, timeout=_DEFINE_SECONDS)
        except (NoHostAvailable, DriverException) as error:
            raise of_ours(error) from error

    async def execute_all(
        self, statements: Sequence[tuple[str, Sequence[Any]]], concurrency: int = _CONCURRENCY
    ) -> list[list[Any]]:
        """Run many idempotent statements, at most `concurrency` at a time; answers in their order.

        Raises:
            StoreUnavailable: one was not answered; those that were begun go on, and no others are.
        """
        if len(statements) == 1:
            return [await self.execute(*statements[0])]
        prepared = await self._prepared_all(statements)
        requests = [
            partial(one.bind, tuple(parameters)) for one, (_, parameters) in zip(prepared, statements, strict=True)
        ]
        return await self._run_all(requests, concurrency)

    async def write_all(self, statements: Sequence[tuple[str, Sequence[Any]]], concurrency: int = _CONCURRENCY) -> None:
        """Run many idempotent writes, in no order, those that the same nodes hold in batches.

        Raises:
            StoreUnavailable: one was not acknowledged; those that were begun go on, and no others are.
        """
        if len(statements) <= _WRITES_ALONE_MAX:
            await self.execute_all(statements)
            return
        prepared = await self._prepared_all(statements)
        writes = [one.bind(tuple(parameters)) for one, (_, parameters) in zip(prepared, statements, strict=True)]
        batches = batched(writes, by_replicas(self._cluster, self._session.keyspace))
        await self._run_all([partial(request_of, batch) for batch in batches], concurrency)

    async def _prepared_all(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> list[PreparedStatement]:
        return [self._prepared.get(cql) or await self._prepare(cql) for cql, _ in statements]

    async def _run_all(self, requests: Sequence[Request], concurrency: int) -> list[list[Any]]:
        many = ManyStatements(self._session, requests)
        try:
            return await many.run(concurrency)
        finally:
            many.stop()

    async def pages(self, cql: str, parameters: Sequence[Any] = ()) -> AsyncIterator[list[Any]]:
        """Read a statement's answer a page at a time, for whole tables: one page is looked at while the next one comes.

        Raises:
            StoreUnavailable: no answer in time.
        """
        statement = self._prepared.get(cql) or await self._prepare(cql)
        bound = statement.bind(tuple(parameters))
        bound.is_idempotent = True
        bound.fetch_size = _PAGE_ROWS
        coming = asyncio.create_task(asyncio.to_thread(self._page, bound, None))
        try:
            while True:
                rows, state = await coming
                if state is not None:
                    coming = asyncio.create_task(asyncio.to_thread(self._page, bound, state))
                yield rows
                if state is None:
                    return
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)

    def _page(self, statement: Any, state: bytes | None) -> tuple[list[Any], bytes | None]:
        try:
            answer = self._session.execute(statement, paging_state=state)
            return list(answer.current_rows), answer.paging_state
        except (NoHostAvailable, DriverException) as error:
            raise of_ours(error) from error

    async def _prepare(self, cql: str) -> PreparedStatement:
        async with self._preparing:
            if cql not in self._prepared:
                if len(self._prepared) >= _STATEMENTS_MAX:
                    raise ValueError("statements must be parameterised: too many distinct ones were prepared")
                try:
                    self._prepared[cql] = await asyncio.to_thread(self._session.prepare, cql)
                except (NoHostAvailable, DriverException) as error:
                    raise of_ours(error) from error
        return self._prepared[cql]

    async def _run(self, statement: Any) -> list[Any]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[Any]] = loop.create_future()
        rows: list[Any] = []
        response: ResponseFuture = self._session.execute_async(statement)

        def arrived(page: list[Any] | None) -> None:
            rows.extend(page or ())
            if response.has_more_pages:
                response.start_fetching_next_page()
            else:
                loop.call_soon_threadsafe(_resolve, answer, rows)

        def failed(error: BaseException) -> None:
            loop.call_soon_threadsafe(_reject, answer, error)

        response.add_callbacks(arrived, failed)
        return await answer


def _resolve(answer: "asyncio.Future[list[Any]]", rows: list[Any]) -> None:
    if not answer.done():
        answer.set_result(rows)


def _reject(answer: "asyncio.Future[list[Any]]", error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(of_ours(error))


def cluster_of(settings: CassandraSettings) -> Cluster:
    """The driver's view of a cluster, not connected yet."""
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy(settings.local_datacenter)),
        consistency_level=ConsistencyLevel.LOCAL_QUORUM,
        serial_consistency_level=ConsistencyLevel.LOCAL_SERIAL,
        request_timeout=settings.request_timeout_ms / 1000,
        row_factory=_named_rows,
    )
    credentials = None
    if settings.username is not None and settings.password is not None:
        credentials = PlainTextAuthProvider(settings.username, settings.password.get_secret_value())
    return Cluster(
        settings.hosts,
        port=settings.port,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        auth_provider=credentials,
        ssl_context=ssl.create_default_context(cafile=settings.ssl_ca_location) if settings.tls else None,
        protocol_version=5,
        connect_timeout=_CONNECT_SECONDS,
        # The driver's own would wait ten minutes between two attempts at last, and give up after 64.
        reconnection_policy=ExponentialReconnectionPolicy(
            _RECONNECT_SECONDS_FIRST, _RECONNECT_SECONDS_MAX, max_attempts=None
        ),
    )


def _named_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[Any]:
    """The driver's named tuples. Its own factory makes a new class for every answer, half of what a read costs."""
    return list(map(_row_type(tuple(columns))._make, rows))


@lru_cache(maxsize=_STATEMENTS_MAX)
def _row_type(columns: tuple[str, ...]) -> Any:
    return type(named_tuple_factory(list(columns), [[None] * len(columns)])[0])
