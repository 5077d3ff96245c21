"""Filling the filter of seen digests: after it was lost, from the table that knows them all."""

import asyncio

import structlog

from photolog.errors import StoreUnavailable
from transcode.contents.port import ContentStore
from transcode.fingerprints.seen_digests import SeenDigests

LOOK_SECONDS = 30.0
logger = structlog.get_logger(__name__)


async def keep_filled(seen: SeenDigests, store: ContentStore, pause_seconds: float = LOOK_SECONDS) -> None:
    """Fill the filter whenever it is not whole, for ever. Of several processes the last one that began counts."""
    while True:
        try:
            if not await seen.is_whole():
                await fill(seen, store)
        except StoreUnavailable as error:
            logger.warning("digests-not-filled", cause=str(error))
        await asyncio.sleep(pause_seconds)


async def fill(seen: SeenDigests, store: ContentStore) -> bool:
    """Add every digest that the table has; whether the filter is whole now.

    Raises:
        StoreUnavailable: a store did not answer.
    """
    marker = await seen.begin_filling()
    async for digests in store.digests():
        await seen.add(map(bytes.fromhex, digests))
    return await seen.finish_filling(marker)
