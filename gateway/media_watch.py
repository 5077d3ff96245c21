"""Waiting until media is decoded: all who wait share one look at the rows, a few times a second."""

import asyncio
import contextlib
from collections.abc import Callable, Collection

from projections.media import MEDIA, MediaRow
from projections.stores.port import RowStore

LOOK_SECONDS = 0.25
WATCHERS_MAX = 300
"""Far fewer than the requests that a gateway serves at once, as those who wait are among them."""


class MediaWatch:
    """Looks for the answers of transcoding.

    Args:
        rows: the read models.
        pin: has the present generations seen; asked for each look, as somebody always waits.
    """

    def __init__(self, rows: RowStore, pin: Callable[[], object]) -> None:
        self._rows = rows
        self._pin = pin
        self._waiting: dict[int, set[asyncio.Future[MediaRow]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def answered(self, media_id: int, seconds: float) -> MediaRow | None:
        """The row of media once there is one; None where there is none in time.

        Nobody waits where `WATCHERS_MAX` do already: whoever asks again finds out as well.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        if seconds <= 0 or self.watchers >= WATCHERS_MAX:
            return None
        arrived: asyncio.Future[MediaRow] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(media_id, set()).add(arrived)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_on())
        try:
            async with asyncio.timeout(seconds):
                return await arrived
        except TimeoutError:
            return None
        finally:
            self._leave(media_id, arrived)

    @property
    def watchers(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    def _leave(self, media_id: int, arrived: "asyncio.Future[MediaRow]") -> None:
        with contextlib.suppress(KeyError):
            self._waiting[media_id].discard(arrived)
            if not self._waiting[media_id]:
                del self._waiting[media_id]

    async def _look_on(self) -> None:
        """Look while somebody waits."""
        while self._waiting:
            await asyncio.sleep(LOOK_SECONDS)
            self._pin()
            media_ids = list(self._waiting)
            try:
                rows = await self._rows.get_many([MEDIA.key(media_id) for media_id in media_ids])
            # It is the waiting requests' error, whatever it is.
            except Exception as error:  # noqa: BLE001
                self._settle(media_ids, error)
                continue
            for media_id, row in zip(media_ids, rows, strict=True):
                if row is not None:
                    self._settle([media_id], row)

    def _settle(self, media_ids: Collection[int], outcome: MediaRow | Exception) -> None:
        for media_id in media_ids:
            for arrived in self._waiting.get(media_id, ()):
                if arrived.done():
                    continue
                if isinstance(outcome, Exception):
                    arrived.set_exception(outcome)
                else:
                    arrived.set_result(outcome)
