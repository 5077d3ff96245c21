"""How far a command has read the log, on the terminal beside what it prints."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class ReadingProgress:
    """A bar on the error output, where that is a terminal; nothing of it stays there.

    Args:
        console: where to; the error output, so that what is printed can be piped on.
    """

    def __init__(self, console: Console | None = None) -> None:
        console = console or Console(stderr=True)
        self._progress = Progress(
            TextColumn("reading {task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("the log", total=None)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Keep the bar on the terminal until the block ends."""
        with self._progress:
            yield

    def __call__(self, what: str, done: int, total: int) -> None:
        """See `lineage.reading.Progress`."""
        self._progress.update(self._task, description=what, completed=done, total=total)
