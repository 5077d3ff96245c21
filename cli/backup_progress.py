"""How far a backup or a restore is, and what it says at its end."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec
from rich.console import Console
from rich.progress import TaskID
from rich.table import Table

from backup.manifest import Manifest
from backup.refilling import Restored
from cli.replay_progress import counting_bars

_DIGITS = 16  # of a digest, for a person to compare


class BackupLine(msgspec.Struct, frozen=True, kw_only=True):
    """A topic, a table or the photographs, as `--json` prints it.

    Args:
        kind: `topic`, `table` or `media`.
        name: its name.
        records: of a topic; rows of a table; photographs.
        first: the lowest first offset of a topic's partitions.
        end: the highest offset that a next record would have.
        size_bytes: of the files.
        digest: of a topic's records.
    """

    kind: str
    name: str
    records: int
    first: int | None = None
    end: int | None = None
    size_bytes: int
    digest: str | None = None


class BackupProgress:
    """A bar for each part on the error output, where that is a terminal; see `backup.taking.Progress`.

    Args:
        console: where to.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._progress = counting_bars(console or Console(stderr=True))
        self._task: TaskID | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Keep the bars on the terminal until the block ends."""
        with self._progress:
            yield

    def begin(self, what: str, total: int | None) -> None:
        """See `backup.taking.Progress.begin`."""
        self._task = self._progress.add_task(what, total=total)

    def advance(self, count: int) -> None:
        """See `backup.taking.Progress.advance`."""
        if self._task is not None:
            self._progress.advance(self._task, count)


def lines_of(manifest: Manifest, topics: Sequence[Restored]) -> list[BackupLine]:
    """What is in a backup, or was restored from it: topics and tables."""
    sizes = {one.topic: sum(s.size_bytes for part in one.partitions for s in part.segments) for one in manifest.topics}
    lines = [
        BackupLine(
            kind="topic",
            name=one.topic,
            records=one.records,
            first=one.first,
            end=one.end,
            size_bytes=sizes[one.topic],
            digest=one.digest,
        )
        for one in topics
    ]
    for table in dict.fromkeys(file.table for file in manifest.tables):
        files = [file for file in manifest.tables if file.table == table]
        rows, size_bytes = sum(file.rows for file in files), sum(file.size_bytes for file in files)
        lines.append(BackupLine(kind="table", name=table, records=rows, size_bytes=size_bytes))
    if manifest.media:
        objects, size_bytes = sum(one.objects for one in manifest.media), sum(one.size_bytes for one in manifest.media)
        lines.append(BackupLine(kind="media", name="photographs", records=objects, size_bytes=size_bytes))
    return lines


def tell(lines: Sequence[BackupLine], title: str, *, as_json: bool) -> None:
    """Print lines as one object each, or as a table."""
    if as_json:
        sys.stdout.writelines(msgspec.json.encode(line).decode() + "\n" for line in lines)
        return
    table = Table(title=title, title_justify="left")
    for column in ("", "records", "first", "end", "bytes", "digest"):
        table.add_column(column, justify="right" if column not in ("", "digest") else "left")
    for line in lines:
        if not line.records:
            continue
        first, end = ("" if value is None else str(value) for value in (line.first, line.end))
        table.add_row(line.name, str(line.records), first, end, str(line.size_bytes), (line.digest or "")[:_DIGITS])
    Console(highlight=False, soft_wrap=True).print(table)
