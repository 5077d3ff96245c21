"""Uploads that nobody completed: their parts are freed a day after they were begun.

S3 can do the same by a rule of the bucket's (AbortIncompleteMultipartUpload); not every server has such rules. The age
of an upload is that of its media id, because some servers give another time each time they are asked.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from photolog.errors import StoreUnavailable
from photolog.ids import now_ms, snowflake_ms
from photolog.media.originals import RAW, UNFINISHED_MS_MAX, media_of

SWEEP_SECONDS = 600.0
SLACK_MS = 3_600_000
"""A part that was signed just before the end may still come; what is completed by then is no upload any more."""
logger = structlog.get_logger(__name__)


class Objects(Protocol):
    """The part of `photolog.engines.object_store.ObjectStore` that is needed."""

    async def unfinished_uploads(self, prefix: str) -> list[tuple[str, str]]:
        """The key and id of each multipart upload under a prefix that was neither completed nor aborted."""

    async def abort_upload(self, key: str, upload_id: str) -> None:
        """Free the parts of an upload."""


class AbandonedUploads:
    """Frees them. Several keepers may do it at once.

    Args:
        objects: the bucket.
        clock_ms: Unix milliseconds.
    """

    def __init__(self, objects: Objects, clock_ms: Callable[[], int] = now_ms) -> None:
        self._objects = objects
        self._clock_ms = clock_ms

    async def sweep(self) -> int:
        """Free what is over; how many uploads that were.

        Raises:
            StoreUnavailable: the bucket did not answer.
        """
        until_ms = self._clock_ms() - UNFINISHED_MS_MAX - SLACK_MS
        freed = 0
        for key, upload_id in await self._objects.unfinished_uploads(RAW):
            media_id = media_of(key)
            if media_id is not None and snowflake_ms(media_id) < until_ms:
                await self._objects.abort_upload(key, upload_id)
                freed += 1
        return freed

    async def run(self, pause_seconds: float = SWEEP_SECONDS) -> None:
        """Sweep now and then, for ever."""
        while True:
            try:
                freed = await self.sweep()
            except StoreUnavailable as error:
                logger.warning("uploads-not-swept", cause=str(error))
            else:
                if freed:
                    logger.info("uploads-freed", uploads=freed)
            await asyncio.sleep(pause_seconds)
