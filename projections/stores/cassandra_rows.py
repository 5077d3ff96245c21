"""The row store in Cassandra. A write's timestamp is its place in the log: order is the log's and never a clock's.

For the same reason nothing here may be deleted by hand without `USING TIMESTAMP`: a clock's microseconds are greater
than any offset's timestamp and would hide every later write. TRUNCATE is safe.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Protocol, cast

from photolog.ids import now_ms
from projections.stores.cassandra_statements import Statement, TableStatements, write_timestamp
from projections.stores.counts import counts_of
from projections.stores.parked import parked_of
from projections.stores.port import CLOCK_AHEAD_MS_MAX, RankedRow, Source, StoredPosition
from projections.stores.scans import check_scan
from projections.tables import KeyTuple, R, Row, RowKey, Table
from projections.writes import ABSENT, Kept, Positioned, Put, Write

_POSITION = """SELECT "topic", "source", "next_offset", "outputs", "counts", "parked" FROM "positions"
    WHERE "projection" = ?"""
_POSITION_OF_SOURCE = f"""{_POSITION} AND "topic" = ? AND "source" = ?"""
_ADVANCE = """INSERT INTO "positions" ("projection", "topic", "source", "next_offset", "outputs", "counts", "parked")
    VALUES (?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?"""


class Session(Protocol):
    """The part of a `CassandraSession` that rows need."""

    async def execute(self, cql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Run one statement."""

    async def execute_all(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> list[list[Any]]:
        """Run many, a bounded number at a time; answers in their order."""

    async def write_all(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> None:
        """Run many writes, in no order."""

    def pages(self, cql: str) -> AsyncIterator[list[Any]]:
        """Read a whole answer, a page at a time."""


class CassandraRows:
    """A `RowStore` over the tables of `cassandra_ddl`.

    Args:
        session: the keyspace.
        clock_ms: Unix milliseconds; tells which rows have ended.
        ahead_ms: how far ahead that clock may be without a row being lost by it: so much longer the engine keeps rows.
    """

    def __init__(
        self, session: Session, clock_ms: Callable[[], int] = now_ms, ahead_ms: int = CLOCK_AHEAD_MS_MAX
    ) -> None:
        self._session = session
        self._clock_ms = clock_ms
        self._ahead_ms = ahead_ms
        self._statements: dict[str, TableStatements[Any]] = {}

    async def load(self, keys: Sequence[RowKey[Row]]) -> dict[RowKey[Row], Kept]:
        """What is held at each key.

        Aggregates are read before everything else, because they are written after it: an event that a read
        aggregate remembers is then also in the count that is read, even while another worker is writing both.
        A removed row that is no aggregate's reads as `ABSENT`. Nothing is lost by that: its tombstone still
        outweighs an older write, and whoever folds an older event again goes on to fold the removal again.
        """
        wanted = dict.fromkeys(keys)
        aggregates = [key for key in wanted if key.table.aggregate]
        others = [key for key in wanted if not key.table.aggregate]
        return {**await self._load(aggregates), **await self._load(others)}

    async def apply(self, stages: Sequence[Sequence[Positioned]]) -> None:
        for stage in stages:
            now_ms = self._clock_ms() - self._ahead_ms
            alive = [write for write in stage if _is_alive(write.write, now_ms)]
            await self._session.write_all([self._of(write.write.key.table).write(write, now_ms) for write in alive])

    async def get(self, key: RowKey[R]) -> R | None:
        return (await self.get_many([key]))[0]

    async def get_many(self, keys: Sequence[RowKey[R]]) -> list[R | None]:
        answers = await self._read(keys)
        now_ms = self._clock_ms()
        rows: dict[RowKey[R], R | None] = {}
        for key, answer in answers.items():
            statements = self._of(key.table)
            rows[key] = statements.row(answer[0]) if answer and statements.is_alive(answer[0], now_ms) else None
        return [rows[key] for key in keys]

    async def scan(
        self,
        table: Table[R],
        partition: KeyTuple,
        *,
        after: KeyTuple | None = None,
        until: KeyTuple | None = None,
        limit: int,
        ended: bool = False,
    ) -> list[R]:
        statements = self._of(table)
        found = await self._scan(table, partition, after, until, limit, ended=ended)
        # A scanned table is no aggregate's, so each answer is a row.
        return [cast(R, statements.row(values)) for values in found]

    async def scan_partitions(self, table: Table[R], partitions: Sequence[KeyTuple], *, limit: int) -> list[list[R]]:
        """One statement for many partitions: a read of sixteen at once costs a tenth of sixteen reads."""
        for partition in partitions:
            check_scan(table, partition)
        statements = self._of(table)
        found: dict[KeyTuple, list[R]] = {partition: [] for partition in partitions}
        now_ms = self._clock_ms()
        reads = statements.scan_partitions(list(found), limit)
        for answer in await self._session.execute_all(reads):
            for values in answer:
                partition = statements.partition_of(values)
                # A statement may name more partitions than were asked for.
                if partition in found and statements.is_alive(values, now_ms):
                    found[partition].append(cast(R, statements.row(values)))
        return [found[partition] for partition in partitions]

    async def scan_kept(self, table: Table[R], partition: KeyTuple, *, limit: int) -> list[Kept]:
        statements = self._of(table)
        found = await self._scan(table, partition, None, None, limit, ended=True)
        return [statements.kept(values) for values in found]

    async def all_rows(self, table: Table[R]) -> AsyncIterator[R]:
        statements = self._of(table)
        async for page in self._session.pages(statements.everything()):
            now_ms = self._clock_ms()
            for values in page:
                row = statements.row(values)
                if row is not None and statements.is_alive(values, now_ms):
                    yield row

    async def ranked_pages(self, table: Table[R]) -> AsyncIterator[Sequence[RankedRow]]:
        """Cassandra reads a table in the order of its partitions' tokens."""
        statements = self._of(table)
        async for page in self._session.pages(statements.ranked()):
            yield statements.ranked_rows(page, self._clock_ms())

    async def position(self, source: Source) -> StoredPosition | None:
        key = (source.projection, source.topic, source.partition)
        answer = await self._session.execute(_POSITION_OF_SOURCE, key)
        return _stored_position(answer[0]) if answer else None

    async def positions(self, projection: str) -> Mapping[Source, StoredPosition]:
        answer = await self._session.execute(_POSITION, (projection,))
        return {Source(projection, values[0], values[1]): _stored_position(values) for values in answer}

    async def advance(self, source: Source, position: StoredPosition, *, expected: int = 0) -> bool:
        """Move a position forward. The timestamp decides between workers that pass the check at once."""
        stored = await self.position(source)
        if (stored.next_offset if stored else 0) < expected:
            return False
        if stored is not None and stored.next_offset >= position.next_offset:
            return True
        outputs = {f"{topic}/{partition}": offset for (topic, partition), offset in position.outputs.items()}
        key = (source.projection, source.topic, source.partition)
        parked = {name: list(waiting.as_numbers()) for name, waiting in position.parked.items()}
        values = (position.next_offset, outputs, position.counts.as_map(), parked)
        await self._session.execute(_ADVANCE, (*key, *values, write_timestamp(position.next_offset)))
        return True

    def _of(self, table: Table[R]) -> TableStatements[R]:
        if table.name not in self._statements:
            self._statements[table.name] = TableStatements(table)
        return self._statements[table.name]

    async def _load(self, keys: Sequence[RowKey[Row]]) -> dict[RowKey[Row], Kept]:
        answers = await self._read(keys)
        now_ms = self._clock_ms()
        held: dict[RowKey[Row], Kept] = {}
        for key, answer in answers.items():
            statements = self._of(key.table)
            held[key] = statements.kept(answer[0]) if answer and statements.is_alive(answer[0], now_ms) else ABSENT
        return held

    async def _read(self, keys: Sequence[RowKey[R]]) -> dict[RowKey[R], list[Any]]:
        """The answer to each key. Many rows of one table come by few statements, where they can."""
        by_table: dict[str, list[RowKey[R]]] = {}
        for key in dict.fromkeys(keys):
            by_table.setdefault(key.table.name, []).append(key)
        reads: list[tuple[Statement, list[RowKey[R]]]] = []
        for own in by_table.values():
            reads += self._of(own[0].table).reads(own)
        answers = await self._session.execute_all([statement for statement, _ in reads])
        found: dict[RowKey[R], list[Any]] = {}
        for (_, asked), answer in zip(reads, answers, strict=True):
            if len(asked) == 1:
                found[asked[0]] = answer
                continue
            key_of = self._of(asked[0].table).key_of
            by_key = {key_of(values): [values] for values in answer}
            found |= {key: by_key.get(key, []) for key in asked}
        return found

    async def _scan(
        self,
        table: Table[R],
        partition: KeyTuple,
        after: KeyTuple | None,
        until: KeyTuple | None,
        limit: int,
        *,
        ended: bool,
    ) -> list[Any]:
        """Rows that are there, up to the limit: those that have ended and are still stored do not count, unless they
        are wanted."""
        check_scan(table, partition, after, until)
        statements = self._of(table)
        found: list[Any] = []
        while True:
            answer = await self._slices(statements.scan(partition, after, until), limit - len(found))
            now_ms = self._clock_ms()
            alive = [values for values in answer if ended or statements.is_alive(values, now_ms)]
            wanted = limit - len(found)
            found += alive
            if len(alive) == len(answer) or len(answer) < wanted:
                return found
            after = statements.key_of(answer[-1]).values[len(partition) :]

    async def _slices(self, slices: Sequence[Statement], limit: int) -> list[Any]:
        found: list[Any] = []
        for cql, parameters in slices:
            if len(found) < limit:
                found += await self._session.execute(cql, (*parameters, limit - len(found)))
        return found


def _is_alive(write: Write, now_ms: int) -> bool:
    return not isinstance(write, Put) or write.key.table.is_alive(write.row, now_ms)


def _stored_position(values: Any) -> StoredPosition:
    _, _, next_offset, outputs, counts, parked = values
    acknowledged = {_output(name): offset for name, offset in (outputs or {}).items()}
    return StoredPosition(next_offset, acknowledged, counts_of(counts), parked_of(parked))


def _output(name: str) -> tuple[str, int]:
    topic, _, partition = name.rpartition("/")
    return topic, int(partition)
