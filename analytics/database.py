"""DuckDB for one query: a file that is gone afterwards, tables, and then SQL that reaches nothing else."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa

from analytics.columns import EVENT_ID
from photolog.errors import Invalid, Limited

_COMING = "coming"
_PLANNING_MEMORY = "256MB"


@dataclass(frozen=True, slots=True)
class QueryBounds:
    """What a query may take.

    Args:
        memory_bytes: of the database; what goes beyond is on disk.
        disk_bytes: of its file, and of what it puts aside, each.
        seconds: of the SQL alone.
        rows: of the answer.
    """

    memory_bytes: int
    disk_bytes: int
    seconds: float
    rows: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query found.

    Args:
        columns: their names, each another.
        rows: the first ones.
        is_cut: whether there are more.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    is_cut: bool


def tables_in(sql: str, known: Mapping[str, pa.Table]) -> frozenset[str]:
    """The tables that a query names.

    Args:
        sql: the query.
        known: the tables that there are, as it will find them but for their rows.

    Raises:
        Invalid: it is not one `SELECT`, or asks for what these tables do not have.
    """
    with duckdb.connect(config={"memory_limit": _PLANNING_MEMORY}) as connection:
        for name, table in known.items():
            connection.register(_COMING, table)
            connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM "{_COMING}"')
        connection.execute("SET enable_external_access = false")
        try:
            # DuckDB's own `get_table_names` takes tables to have no columns, and stumbles over USING.
            (tree,) = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone() or ("{}",)
            named = _named(json.loads(tree))
            if named <= known.keys():
                connection.sql(sql)  # looks what it means, and does not run it
        except duckdb.Error as error:
            raise Invalid("malformed-query", str(error).strip(), "sql") from error
    return named


def _named(tree: dict[str, Any]) -> frozenset[str]:
    if tree["error"] and tree["error_type"] == "parser":
        raise Invalid("malformed-query", tree["error_message"], "sql")
    if tree["error"] or len(tree["statements"]) != 1:
        raise Invalid("not-a-query", "this takes one plain SELECT", "sql")
    tables, own = set[str](), set[str]()
    left: list[Any] = [tree]
    while left:
        match left.pop():
            case dict() as node:
                if node.get("type") == "BASE_TABLE":
                    tables.add(node["table_name"].lower())
                own.update(one["key"].lower() for one in node.get("cte_map", {}).get("map", ()))
                left += node.values()
            case list() as nodes:
                left += nodes
    return frozenset(tables - own)


class Database:
    """The database of one query; `opened` makes it.

    Args:
        folder: where its files are.
        bounds: what it may take.
    """

    def __init__(self, folder: Path, bounds: QueryBounds) -> None:
        self._bounds = bounds
        self._file = folder / "query.duckdb"
        config: dict[str, Any] = {
            "memory_limit": f"{bounds.memory_bytes}B",
            "temp_directory": str(folder / "aside"),
            "max_temp_directory_size": f"{bounds.disk_bytes}B",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        self._connection = duckdb.connect(str(self._file), config=config)
        # A call goes on in its thread when its caller is cancelled, and closing must not take the connection from it.
        self._calling = threading.Lock()
        self._run("SET TimeZone = 'UTC'")

    def create(self, name: str, table: pa.Table) -> None:
        """Make a table with the columns and the rows of this one."""
        self._insert(f'CREATE TABLE "{name}" AS SELECT * FROM "{_COMING}"', table)

    def add(self, name: str, table: pa.Table) -> None:
        """Add rows.

        Raises:
            Limited: it is too much.
        """
        self._insert(f'INSERT INTO "{name}" SELECT * FROM "{_COMING}"', table)
        if self._file.stat().st_size > self._bounds.disk_bytes:
            raise Limited("too-much", "that is too many events for one query: narrow it with --since and --until")

    def merge(self, name: str, other: str) -> None:
        """Add the rows of another table, of each event one that is not there, and drop that table."""
        new = f'"{EVENT_ID}" NOT IN (SELECT "{EVENT_ID}" FROM "{name}")'
        self._run(f'INSERT INTO "{name}" SELECT DISTINCT ON ("{EVENT_ID}") * FROM "{other}" WHERE {new}')
        self._run(f'DROP TABLE "{other}"')

    def seal(self) -> None:
        """From now on nothing but the tables can be reached, and nothing of this can be changed."""
        self._run("SET enable_external_access = false")
        self._run("SET lock_configuration = true")

    def ask(self, sql: str) -> Answer:
        """Run a query.

        Raises:
            Invalid: it is none that the tables can answer.
            Limited: it takes too long, or too much.
        """
        timer = threading.Timer(self._bounds.seconds, self.interrupt)
        timer.start()
        try:
            with self._calling:
                found = self._connection.execute(sql)
                rows = found.fetchmany(self._bounds.rows + 1)
                names = _distinct([column[0] for column in found.description or ()])
        except duckdb.InterruptException as error:
            raise Limited("too-long", f"the query took longer than {self._bounds.seconds:g} s") from error
        except duckdb.OutOfMemoryException as error:
            raise Limited("too-much", f"the query takes too much memory: {error}") from error
        except duckdb.Error as error:
            raise Invalid("malformed-query", str(error).strip(), "sql") from error
        finally:
            timer.cancel()
        return Answer(names, rows[: self._bounds.rows], len(rows) > self._bounds.rows)

    def interrupt(self) -> None:
        """End what runs."""
        self._connection.interrupt()

    def close(self) -> None:
        """End what runs, and close the file."""
        self.interrupt()
        with self._calling:
            self._connection.close()

    def _insert(self, sql: str, table: pa.Table) -> None:
        with self._calling:
            self._connection.register(_COMING, table)
        self._run(sql)

    def _run(self, sql: str) -> None:
        try:
            with self._calling:
                self._connection.execute(sql)
        except duckdb.OutOfMemoryException as error:
            raise Limited("too-much", f"that is too many events for one query: {error}") from error


@contextmanager
def opened(bounds: QueryBounds) -> Iterator[Database]:
    """A database whose files are removed at the end, also when the process is interrupted."""
    with TemporaryDirectory(prefix="photolog-query-") as folder:
        database = Database(Path(folder), bounds)
        try:
            yield database
        finally:
            database.close()


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, those that were there before with a number."""
    found: list[str] = []
    for name in names:
        number, own = 1, name
        while own in found:
            number, own = number + 1, f"{name}_{number}"
        found.append(own)
    return found
