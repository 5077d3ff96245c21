"""Node numbers for ids: each process that makes ids leases one, so that no two ever share it.

A lease is a row that expires. It is renewed long before that, and a process that could not renew makes no more ids:
by its own clock it stops well before anybody else can be given the number. A number is never handed back early, for
an id may have been borrowed from the coming milliseconds.
"""

import asyncio
import random
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import structlog

from photolog.errors import StoreUnavailable
from photolog.ids import NODE_BITS, SnowflakeSource

NODES_DDL = "CREATE TABLE IF NOT EXISTS nodes (node int PRIMARY KEY, holder text)"
LEASE_SECONDS = 180
RENEW_SECONDS = 20.0
_SAFE_SECONDS = 120.0
_ACQUIRE = "INSERT INTO nodes (node, holder) VALUES (?, ?) IF NOT EXISTS USING TTL ?"
_RENEW = "UPDATE nodes USING TTL ? SET holder = ? WHERE node = ? IF holder = ?"
_TRIES = 16
logger = structlog.get_logger(__name__)


class Session(Protocol):
    """The part of a Cassandra session that leases need."""

    async def execute(self, cql: str, parameters: Sequence[object] = (), *, idempotent: bool = True) -> list[Any]:
        """Run one statement."""


class LeasedIds(SnowflakeSource):
    """Ids under a leased node number.

    Args:
        node: the number.
        clock_ms: Unix milliseconds.
        clock: seconds that only go forward.
    """

    def __init__(self, node: int, clock_ms: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(node, clock_ms)
        self.node = node
        self._clock = clock
        self._safe_until = clock() + _SAFE_SECONDS

    def next(self) -> int:
        """The next id.

        Raises:
            StoreUnavailable: the lease was not renewed in time.
        """
        if self._clock() > self._safe_until:
            raise StoreUnavailable("the lease of this process's node number is over")
        return super().next()

    def renewed(self, asked_at: float) -> None:
        """Go on for as long as is safe after a renewal that was asked for at this time."""
        self._safe_until = asked_at + _SAFE_SECONDS

    def lost(self) -> None:
        """Make no more ids."""
        self._safe_until = float("-inf")


class NodeLease:
    """Leases a node number and keeps it until closed.

    Args:
        session: Cassandra.
        clock_ms: Unix milliseconds, for the ids.
    """

    def __init__(self, session: Session, clock_ms: Callable[[], int]) -> None:
        self._session = session
        self._clock_ms = clock_ms
        self._holder = str(uuid.uuid4())
        self._renewing: asyncio.Task[None] | None = None

    async def acquire(self) -> LeasedIds:
        """Lease a free number and begin to renew it.

        Raises:
            StoreUnavailable: no number could be had.
        """
        for _ in range(_TRIES):
            node = random.randrange(1 << NODE_BITS)
            # The time before the asking counts: the lease cannot have begun earlier.
            ids = LeasedIds(node, self._clock_ms)
            answer = await self._session.execute(_ACQUIRE, (node, self._holder, LEASE_SECONDS), idempotent=False)
            if answer[0].applied:
                self._renewing = asyncio.create_task(self._renew(ids))
                return ids
        raise StoreUnavailable(f"no node number was free in {_TRIES} tries")

    async def close(self) -> None:
        """Renew no more; the number falls free when the lease expires."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)

    async def _renew(self, ids: LeasedIds) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            asked_at = time.monotonic()
            values = (LEASE_SECONDS, self._holder, ids.node, self._holder)
            try:
                answer = await self._session.execute(_RENEW, values, idempotent=False)
            except StoreUnavailable as error:
                logger.warning("node-lease-not-renewed", cause=str(error))
                continue
            if not answer[0].applied:
                ids.lost()
                logger.error("node-lease-lost", node=ids.node)
                return
            ids.renewed(asked_at)
