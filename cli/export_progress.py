"""How an export looks while it goes on."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from analytics.tally import Tally
from cli.replay_progress import counting_bars


class ExportProgress:
    """A bar on a terminal, nothing elsewhere.

    Args:
        console: where to.
    """

    def __init__(self, console: Console) -> None:
        self._progress = counting_bars(console)
        self._task = self._progress.add_task("exporting", total=None)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Keep the bar on the terminal until the block ends."""
        with self._progress:
            yield

    def report(self, tally: Tally) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=tally.done, total=tally.total)
