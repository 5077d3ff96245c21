"""How far a command has read the log, on the terminal beside what it prints."""

import sys
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
            # What is printed goes where it was to go, perhaps into a pipe, and not to the bar's console.
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("the log", total=None)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Keep the bar on the terminal until the block ends."""
        with self._progress:
            yield

    def print(self, line: str) -> None:
        """A line for the standard output, with the bar out of its way."""
        self._progress.stop()
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        self._progress.start()

    def __call__(self, what: str, done: int, total: int) -> None:
        """See `lineage.reading.Progress`."""
        self._progress.update(self._task, description=what, completed=done, total=total)

    def count(self, what: str, done: int) -> None:
        """How much was read of something whose end nobody knows."""
        self._progress.update(self._task, description=what, completed=done, total=None)
