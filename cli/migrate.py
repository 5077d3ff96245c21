"""`bin/photolog migrate`: everything that must exist in the engines before a process of ours starts."""

import asyncio

from rich.console import Console

from analytics.positions import EXPORT_POSITIONS_DDL
from backup.marker import RESTORES_DDL
from gateway.vault import VAULT_DDL
from gateway.vault.uploads import UPLOADS_COLUMNS
from photolog.engines.cassandra_session import CassandraSession
from photolog.engines.object_store import ObjectStore
from photolog.keyring import KEYRING_DDL
from photolog.log.admin import TopicWanted, create_topics
from photolog.log.growths import GROWTHS_DDL
from photolog.log.settlements import SETTLEMENTS_DDL
from photolog.settings import CassandraSettings, Settings, load_settings
from projections.catalogue import TABLES
from projections.stores.cassandra_ddl import (
    POSITIONS_DDL,
    added_columns_ddl,
    added_ddl,
    added_positions_ddl,
    table_ddl,
)
from projections.stores.generation_pointers import GENERATIONS_DDL
from schemas.registry import register_all
from schemas.topics import FOREVER_MS, TOPICS
from transcode.contents.cassandra import CONTENTS_DDL

STATEMENTS: tuple[str, ...] = (
    *(table_ddl(table) for table in TABLES),
    *POSITIONS_DDL,
    *VAULT_DDL,
    *KEYRING_DDL,
    *GROWTHS_DDL,
    *EXPORT_POSITIONS_DDL,
    *SETTLEMENTS_DDL,
    *GENERATIONS_DDL,
    *RESTORES_DDL,
    *CONTENTS_DDL,
)
"""What creates every table that is there in Cassandra."""


def migrate() -> None:
    """Create topics, keyspace, tables and bucket, and register every schema.

    Running it again changes nothing; tables of an earlier version gain the columns that they lack. It refuses a schema
    that breaks compatibility with what the registry holds.

    Example: bin/photolog migrate
    """
    settings, console = load_settings(), Console()
    create_log(settings, console)
    count = asyncio.run(create_stores(settings))
    console.print(f"tables: {count} there; bucket {settings.s3.bucket} there")


def create_log(settings: Settings, console: Console) -> None:
    """Create the topics that are missing and register every schema, and say so."""
    created = create_topics(settings.kafka, _topics())
    console.print(f"topics: {len(created)} created, {len(list(_topics())) - len(created)} there")
    ids = register_all(settings.registry)
    console.print(f"schemas: {len(ids)} registered")


def _topics() -> list[TopicWanted]:
    own = [TopicWanted(topic.name, topic.retention_ms) for topic in TOPICS]
    return own + [TopicWanted(topic.dead_letters, FOREVER_MS) for topic in TOPICS]


async def create_stores(settings: Settings) -> int:
    """Create the keyspace, its tables and the bucket where they are missing; how many tables there are."""
    await _create_keyspace(settings.cassandra)
    session = await CassandraSession.connect(settings.cassandra)
    try:
        # One after the other: Cassandra agrees on each schema change before the next.
        for statement in STATEMENTS:
            await session.define(statement)
        for statement in await _added_columns(session, settings.cassandra.keyspace):
            await session.define(statement)
    finally:
        await session.close()
    await ObjectStore(settings.s3).ensure_bucket()
    return len(STATEMENTS)


async def _added_columns(session: CassandraSession, keyspace: str) -> list[str]:
    """What tables of an earlier version lack. Rows that are there read a new field as its default."""
    columns = "SELECT table_name, column_name, kind FROM system_schema.columns WHERE keyspace_name = ?"
    there: dict[str, dict[str, str]] = {}
    for table, column, kind in await session.execute(columns, (keyspace,)):
        there.setdefault(table, {})[column] = kind
    tables = [statement for table in TABLES for statement in added_columns_ddl(table, there[table.name])]
    uploads = added_ddl("uploads", UPLOADS_COLUMNS, there["uploads"])
    return tables + uploads + added_positions_ddl(there["positions"])


async def _create_keyspace(settings: CassandraSettings) -> None:
    session = await CassandraSession.connect(settings, keyspace=False)
    try:
        await session.define(
            f"CREATE KEYSPACE IF NOT EXISTS {settings.keyspace} WITH replication = {settings.replication}"
        )
    finally:
        await session.close()
