"""Reservations in Cassandra: what each command under an Idempotency-Key decided."""

from collections.abc import AsyncIterator

import msgspec

from gateway.vault.port import ReservationRow
from photolog.engines.cassandra_session import CassandraSession

RESERVATIONS_DDL = """
CREATE TABLE IF NOT EXISTS reservations (
    scope text,
    idempotency_key text,
    outcome blob,
    PRIMARY KEY ((scope, idempotency_key))
)"""
_GET = "SELECT outcome FROM reservations WHERE scope = ? AND idempotency_key = ?"
_RESERVE = "INSERT INTO reservations (scope, idempotency_key, outcome) VALUES (?, ?, ?) IF NOT EXISTS USING TTL ?"
_KEYS = "SELECT scope, idempotency_key FROM reservations"
_REMOVE = "DELETE FROM reservations WHERE scope = ? AND idempotency_key = ? IF EXISTS"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ReservationRow).decode


class CassandraReservations:
    """`gateway.vault.port.Reservations` in Cassandra.

    Args:
        session: the driver's session.
        lifetime_seconds: how long a retry finds its reservation.
    """

    def __init__(self, session: CassandraSession, lifetime_seconds: int) -> None:
        self._session = session
        self._lifetime_seconds = lifetime_seconds

    async def get(self, scope: str, key: str) -> ReservationRow | None:
        rows = await self._session.execute(_GET, (scope, key))
        return _decode(rows[0].outcome) if rows else None

    async def reserve(self, scope: str, key: str, row: ReservationRow) -> ReservationRow:
        values = (scope, key, _encode(row), self._lifetime_seconds)
        answer = (await self._session.execute(_RESERVE, values, idempotent=False))[0]
        return row if answer.applied else _decode(answer.outcome)

    async def keys_of(self, scope: str) -> AsyncIterator[str]:
        async for page in self._session.pages(_KEYS):
            for row in page:
                if row.scope == scope:
                    yield row.idempotency_key

    async def remove(self, scope: str, key: str) -> None:
        await self._session.execute(_REMOVE, (scope, key), idempotent=False)
