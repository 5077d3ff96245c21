"""Copying what lives outside the log: all of it anew with every backup, so that what was erased is not in it."""

from collections.abc import Callable, Sequence

from backup.manifest import TableFile
from backup.outside import KEPT, KeptTable
from backup.shelf import Shelf
from backup.table_files import Row, table_file, table_schema
from backup.tables import Tables

ROWS_IN_FILE = 20_000
MARKERS = "erasures"


class Snapshot:
    """Copies tables.

    Args:
        tables: where from.
        shelf: where to.
        folder: the run's.
        report: is told how many rows more are in the backup.
        rows_in_file: how many are held at most.
    """

    def __init__(
        self,
        tables: Tables,
        shelf: Shelf,
        folder: str,
        report: Callable[[int], None],
        rows_in_file: int = ROWS_IN_FILE,
    ) -> None:
        self._tables = tables
        self._shelf = shelf
        self._folder = folder
        self._report = report
        self._rows_in_file = rows_in_file

    async def run(self, kept: Sequence[KeptTable] = KEPT) -> tuple[TableFile, ...]:
        """Copy the tables; the files. Raises StoreUnavailable, Corruption."""
        return tuple([file for table in kept for file in await self._copy(table)])

    async def _copy(self, table: KeptTable) -> list[TableFile]:
        schema = table_schema(table.name, await self._tables.columns(table.name))
        files: list[TableFile] = []
        held: list[Row] = []

        async def write() -> None:
            file, data = table_file(self._folder, len(files), table.name, schema, held)
            await self._shelf.put(file.name, data)
            files.append(file)
            self._report(len(held))
            held.clear()

        async for page in self._tables.rows(table):
            held += page
            if len(held) >= self._rows_in_file:
                await write()
        if held:
            await write()
        return files
