"""Wires the work on generations to the engines."""

import asyncio
from collections.abc import Iterable
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from photolog.errors import LogUnavailable
from photolog.log.ends import Ends, read_ends
from photolog.log.kafka_config import client_config
from photolog.settings import Settings
from projections.stores.cassandra_ddl import quoted, table_ddl
from projections.tables import Table
from streams.bootstrap import Connected
from streams.generation_admin import AdminPorts

_TIMEOUT_SECONDS = 20.0
# Greater than any record's timestamp; no generation has this name again.
_FORGET = """DELETE FROM "positions" USING TIMESTAMP 9000000000000000000 WHERE "projection" = ?"""


def admin_ports(settings: Settings, connected: Connected, reading_seconds: float) -> AdminPorts:
    """What the work on generations stands on.

    Args:
        settings: all settings.
        connected: the engines.
        reading_seconds: how long a request may go on that began before a change.
    """
    session = connected.session

    async def ends(topics: Iterable[str], until_ms: int | None) -> Ends:
        try:
            admin = AdminClient(client_config(settings.kafka))
            return await asyncio.to_thread(read_ends, admin, list(topics), _TIMEOUT_SECONDS, until_ms)
        except KafkaException as error:
            raise LogUnavailable(f"Kafka: {error}") from error

    async def create(table: Table[Any]) -> None:
        await session.define(table_ddl(table))

    async def drop(table: Table[Any]) -> None:
        await session.define(f"DROP TABLE IF EXISTS {quoted(table.name)}")

    async def forget(name: str) -> None:
        await session.execute(_FORGET, (name,))

    return AdminPorts(
        kafka=settings.kafka,
        pointers=connected.pointers,
        at=connected.at,
        ends=ends,
        create=create,
        drop=drop,
        forget=forget,
        reading_seconds=reading_seconds,
    )
