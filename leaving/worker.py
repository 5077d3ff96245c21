"""The leaving worker: takes every erasure as far as it can go, builds the exports, and looks again."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from prometheus_client import Gauge

from leaving.erasure import FINISHED, Erasure
from leaving.exporting import Exporting
from leaving.resources import LeavingResources
from photolog.stall import TRANSIENT

PAUSE_SECONDS = 1.0
OPEN = Gauge("photolog_erasures_open", "Erasures that are not finished")
logger = structlog.get_logger(__name__)


class LeavingWorker:
    """Does what accounts that leave are waiting for. Several may run; each step is one worker's, or both do the same.

    Args:
        resources: its ports.
        pause_seconds: between two looks.
    """

    def __init__(self, resources: LeavingResources, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._resources = resources
        self._pause_seconds = pause_seconds

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set.

        Raises:
            Exception: whatever made it impossible to go on; start a new process.
        """
        while not stop.is_set():
            await self._patiently(self.look)
            try:
                await asyncio.wait_for(stop.wait(), self._pause_seconds)
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Take every open erasure as far as it can go now, and build the exports that are asked for.

        Raises:
            ExceptionGroup: some could not be gone on with; all others had their turn first.
        """
        await self._resources.pinned.pin_fresh()
        accounts = await self._resources.vault.erasures.unfinished()
        OPEN.set(len(accounts))
        work = [partial(self.erase, account_id) for account_id in accounts]
        work += [partial(self.export, account_id) for account_id in await self._resources.vault.exports.all()]
        errors = []
        for attempt in work:
            try:
                await self._patiently(attempt)
            # Whatever is wrong with one account must not keep the others waiting; it is raised behind them.
            except Exception as error:  # noqa: BLE001
                errors.append(error)
        if errors:
            raise ExceptionGroup("accounts that could not leave", errors)

    async def erase(self, account_id: int) -> None:
        """Take one erasure as far as it can go now."""
        erasures = self._resources.vault.erasures
        # Listed before it is marked: a command may have died in between, and then nothing was begun.
        while (row := await erasures.get(account_id)) is not None:
            if row.step == FINISHED:
                await erasures.close(account_id)
                return
            if not await Erasure(self._resources, row).advance():
                return

    async def export(self, account_id: int) -> None:
        """Build an account's export, or remove one that is over."""
        row = await self._resources.vault.exports.get(account_id)
        if row is not None:
            await Exporting(self._resources, row).advance()

    async def _patiently(self, attempt: Callable[[], Awaitable[None]]) -> None:
        """An engine that is away costs this attempt; the next look is the next one."""
        try:
            await attempt()
        except TRANSIENT as error:
            logger.warning("leaving-waits", error=repr(error))
