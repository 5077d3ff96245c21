"""Whether two generations of a projection are the same, row by row, while traffic goes on.

A pass over both finds rows that were not the same when they were read. Those that are only moving are told from those
that differ by reading them again, once the other generation has passed all that the log held when live rows were read.
The live position would not do: rows are written before it moves, so a live row may be ahead of it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from photolog.errors import PositionTimeout
from photolog.log.ends import Ends
from projections.catalogue import TABLES_OF
from projections.comparing import Comparison, Difference, Digest, Pages
from projections.stores.port import RowStore
from projections.tables import Row, RowKey
from projections.writes import ABSENT
from streams.rebuilding import left

_AT_ONCE = 500
_ROUNDS = 30
_PAUSE_SECONDS = 0.2
SHOWN_MAX = 100


@dataclass(slots=True)
class Verdict:
    """What a verification found.

    Args:
        live: the digest of the live generation's rows.
        other: the digest of the other's.
        differences: the digest of all rows that differ; no rows where the two are the same.
        shown: the first of them.
        moving: rows that changed each time they were looked at, and could not be judged.
    """

    live: Digest = field(default_factory=Digest)
    other: Digest = field(default_factory=Digest)
    differences: Digest = field(default_factory=Digest)
    shown: list[Difference] = field(default_factory=list)
    moving: int = 0

    @property
    def same(self) -> bool:
        """Whether no row is known to differ, and each was judged."""
        return not self.differences.rows and not self.moving


class Verification:
    """Compares the live generation of a projection with another.

    Args:
        projection: its name.
        live: the rows of the live generation.
        other: the rows of the other.
        ends: where the projection's topics end.
        wait_seconds: how long the other may take to come to where the log ends.
    """

    def __init__(
        self,
        projection: str,
        live: RowStore,
        other: RowStore,
        ends: Callable[[], Awaitable[Ends]],
        wait_seconds: float = 60.0,
    ) -> None:
        self._projection = projection
        self._live = live
        self._other = other
        self._ends = ends
        self._wait_seconds = wait_seconds

    async def verdict(self, heard: Callable[[int], None] = lambda rows: None) -> Verdict:
        """Compare everything.

        Args:
            heard: told now and then how many rows were compared.

        Raises:
            PositionTimeout: the other generation does not come to where the log ends.
            StoreUnavailable, LogUnavailable: a store did not answer, or no broker.
        """
        verdict = Verdict()
        for table in TABLES_OF[self._projection]:
            comparison = Comparison(table)
            mismatches = comparison.mismatches(
                _told(self._live.ranked_pages(table), heard), self._other.ranked_pages(table)
            )
            keys: list[RowKey[Row]] = []
            async for key in mismatches:
                keys.append(key)
                if len(keys) >= _AT_ONCE:
                    await self._judge(keys, verdict)
                    keys = []
            await self._judge(keys, verdict)
            verdict.live.merge(comparison.live)
            verdict.other.merge(comparison.other)
        return verdict

    async def _judge(self, keys: Sequence[RowKey[Row]], verdict: Verdict) -> None:
        """Look again at rows that did not agree, until each does, or stands still and does not."""
        for _ in range(_ROUNDS if keys else 0):
            before = await self._live.load(keys)
            await self._pass(await self._ends())
            others = await self._other.load(keys)
            after = await self._live.load(keys)
            moving = []
            for key in keys:
                live, other = after.get(key, ABSENT), others.get(key, ABSENT)
                if live.row == other.row:
                    continue
                if live != before.get(key, ABSENT):
                    moving.append(key)
                    continue
                difference = Difference(key, live.row, other.row)
                verdict.differences.add(difference.encoded())
                if len(verdict.shown) < SHOWN_MAX:
                    verdict.shown.append(difference)
            keys = moving
            if not keys:
                return
            await asyncio.sleep(_PAUSE_SECONDS)
        verdict.moving += len(keys)

    async def _pass(self, ends: Ends) -> None:
        """Wait until the other generation has come to these ends."""
        deadline = time.monotonic() + self._wait_seconds
        while left(ends, await self._other.positions(self._projection)):
            if time.monotonic() > deadline:
                raise PositionTimeout(f"the other generation of {self._projection} is behind and does not catch up")
            await asyncio.sleep(_PAUSE_SECONDS)


async def _told(pages: Pages, heard: Callable[[int], None]) -> Pages:
    async for page in pages:
        heard(len(page))
        yield page
