"""The stores that each contract suite runs over: memory always, the real engine where it may be booted."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest

from photolog.engines.cassandra_session import CassandraSession
from photolog.log.settlements import SETTLEMENTS_DDL
from photolog.settings import CassandraSettings, Settings
from projections.catalogue import TABLES
from projections.stores.cassandra_ddl import POSITIONS_DDL, table_ddl
from projections.stores.cassandra_rows import CassandraRows
from projections.stores.memory_rows import MemoryRows
from projections.stores.port import RowStore
from tests.contract.redis_servers import (  # noqa: F401  # fixtures
    cluster_client,
    node_client,
    valkey_cluster_url,
    valkey_node_url,
)
from tests.contract.sample_tables import SAMPLE_TABLES


@pytest.fixture(scope="session")
def cassandra_keyspace(settings: Settings) -> CassandraSettings:
    """A keyspace of this run with every table, ours and the suite's. It goes with the stack that it is in."""
    # A busy machine takes its time over thirty tables.
    own = settings.cassandra.model_copy(
        update={"keyspace": f"contract_{secrets.token_hex(4)}", "request_timeout_ms": 60_000}
    )
    create = f"CREATE KEYSPACE {own.keyspace} WITH replication = {own.replication}"
    asyncio.run(_execute(own, [create], keyspace=False))
    asyncio.run(
        _execute(own, [*map(table_ddl, TABLES + SAMPLE_TABLES), *POSITIONS_DDL, *SETTLEMENTS_DDL], keyspace=True)
    )
    return own


@pytest.fixture(scope="session")
async def cassandra_session(cassandra_keyspace: CassandraSettings) -> AsyncIterator[CassandraSession]:
    session = await CassandraSession.connect(cassandra_keyspace)
    yield session
    await session.close()


@pytest.fixture(scope="session")
def cassandra_rows(cassandra_session: CassandraSession) -> CassandraRows:
    return CassandraRows(cassandra_session)


@pytest.fixture(params=["memory", pytest.param("cassandra", marks=pytest.mark.integration)])
def rows(request: pytest.FixtureRequest) -> RowStore:
    """A row store. Cassandra's is shared: a test works in partitions of its own (`fresh_id`)."""
    if request.param == "memory":
        return MemoryRows()
    cassandra: CassandraRows = request.getfixturevalue("cassandra_rows")
    return cassandra


async def _execute(settings: CassandraSettings, statements: list[str], keyspace: bool) -> None:
    session = await CassandraSession.connect(settings, keyspace=keyspace)
    try:
        for statement in statements:
            await session.execute(statement)
    finally:
        await session.close()
