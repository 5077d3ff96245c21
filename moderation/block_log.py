"""The block-list as the log has it, read up to where it ends at the moment of asking.

Nothing is asked of a read model, which may be behind: whoever's takedown was acknowledged stands in the log, so that
what is judged from then on is judged by it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from photolog.errors import LogUnavailable
from photolog.log.record import StoredRecord
from photolog.log.slices import SliceReader
from schemas.topics import BLOCKS

_SECONDS_MAX = 30.0


class BlockLog(Protocol):
    """Where blocks are read: the log, or a list in tests."""

    async def news(self) -> Sequence[StoredRecord]:
        """What was appended since the last time, up to where the log ended when this was asked. Raises
        LogUnavailable; what was read by then is read again."""


class KafkaBlockLog:
    """`BlockLog` over a reader of slices.

    Args:
        reader: of nobody else's.
    """

    def __init__(self, reader: SliceReader) -> None:
        self._reader = reader
        self._next: dict[int, int] = {}

    async def news(self) -> Sequence[StoredRecord]:
        try:
            async with asyncio.timeout(_SECONDS_MAX):
                return await self._news()
        except TimeoutError as error:
            raise LogUnavailable(f"{BLOCKS.name} was not read within {_SECONDS_MAX:g} s") from error

    async def _news(self) -> Sequence[StoredRecord]:
        whole = await self._reader.whole(BLOCKS.name)
        wanted = [replace(one, begin=max(one.begin, self._next.get(one.partition, 0))) for one in whole]
        new = [one for one in wanted if one.end is not None and one.begin < one.end]
        records: list[StoredRecord] = []
        if new:
            async for batch in self._reader.read(new):
                records += batch.records
        # Only now: what was read before an error is to be read again.
        self._next |= {one.partition: one.end for one in new if one.end is not None}
        return records
