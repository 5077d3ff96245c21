"""The durable record of growths in Cassandra: one row for each, written by lightweight transactions alone.

Like the keyring it lives outside the log and is backed up with it: without it the order across a growth is lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from photolog.engines.cassandra_session import CassandraSession
from photolog.log.growth import Growth, History

GROWTHS_DDL = (
    """CREATE TABLE IF NOT EXISTS topic_growths (
    topic text,
    epoch int,
    partitions_before int,
    partitions_after int,
    cuts frozen<list<bigint>>,
    state text,
    PRIMARY KEY (topic, epoch)
)""",
)
State = Literal["planned", "fenced", "cut", "done"]
_COLUMNS = "epoch, partitions_before, partitions_after, cuts, state"
_SELECT = f"SELECT {_COLUMNS} FROM topic_growths WHERE topic = ?"
_BEGIN = (
    "INSERT INTO topic_growths (topic, epoch, partitions_before, partitions_after, state) "
    "VALUES (?, ?, ?, ?, 'fenced') IF NOT EXISTS"
)
_CUT = "UPDATE topic_growths SET state = 'cut', cuts = ? WHERE topic = ? AND epoch = ? IF state = 'fenced'"
_DONE = "UPDATE topic_growths SET state = 'done' WHERE topic = ? AND epoch = ? IF state = 'cut'"
_ABANDON = "DELETE FROM topic_growths WHERE topic = ? AND epoch = ? IF state = 'fenced'"


@dataclass(frozen=True, slots=True)
class GrowthRow:
    """A growth on its way or behind us.

    Args:
        epoch: the one that it begins, from 1.
        before: partitions before.
        after: partitions since.
        state: `planned` (not written down), `fenced` (nothing may be appended, where to cut is not known), `cut` (it is
            known), `done` (open again).
        cuts: once they are known.
    """

    epoch: int
    before: int
    after: int
    state: State
    cuts: tuple[int, ...] = ()


class CassandraGrowths:
    """Growths of topics. Jobs read them with every batch; only `grow` writes."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def of(self, topic: str) -> History:
        """See `photolog.log.growth.Growths`. A quorum's read sees a cut that was answered for."""
        return history_of(await self.rows(topic))

    async def rows(self, topic: str, *, serial: bool = False) -> list[GrowthRow]:
        """All growths, oldest first; `serial` sees every transaction."""
        return [_row(found) for found in await self._session.execute(_SELECT, (topic,), serial=serial)]

    async def begin(self, topic: str, row: GrowthRow) -> bool:
        """Note that a topic is about to grow; False where another growth has this epoch."""
        values = (topic, row.epoch, row.before, row.after)
        return bool((await self._session.execute(_BEGIN, values, idempotent=False))[0].applied)

    async def cut(self, topic: str, epoch: int, cuts: Sequence[int]) -> bool:
        """Set where the new epoch begins; False where that is set already, or the growth was abandoned."""
        return await self._applied(_CUT, (list(cuts), topic, epoch))

    async def done(self, topic: str, epoch: int) -> bool:
        """Note that the topic is open again."""
        return await self._applied(_DONE, (topic, epoch))

    async def abandon(self, topic: str, epoch: int) -> bool:
        """Forget a growth whose cuts are not set."""
        return await self._applied(_ABANDON, (topic, epoch))

    async def _applied(self, cql: str, values: tuple[Any, ...]) -> bool:
        return bool((await self._session.execute(cql, values, idempotent=False))[0].applied)


def history_of(rows: Sequence[GrowthRow]) -> History:
    """The growths whose cuts are known."""
    return tuple(Growth(row.before, row.after, row.cuts) for row in rows if row.state != "fenced")


def _row(found: Any) -> GrowthRow:
    return GrowthRow(
        epoch=found.epoch,
        before=found.partitions_before,
        after=found.partitions_after,
        state=found.state,
        cuts=tuple(found.cuts or ()),
    )
