"""How a replay looks while it goes on: a bar for looking at the target, one for reading the source."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from photolog.log.replaying import Tally


class RateColumn(ProgressColumn):
    """Records a second."""

    def render(self, task: Task) -> Text:
        """The rate, once there is one."""
        return Text("" if task.speed is None else f"{task.speed:,.0f}/s")


def counting_bars(console: Console) -> Progress:
    """Bars of records that are counted, with their rate; on a terminal alone, and nothing of them stays there."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


class ReplayProgress:
    """Bars on a terminal, nothing elsewhere.

    Args:
        console: where to.
    """

    def __init__(self, console: Console) -> None:
        self.tally = Tally()
        self._progress = counting_bars(console)
        self._looking = self._reading = TaskID(0)

    @contextmanager
    def shown(self, target_records: int, source_records: int, tally: Tally) -> Iterator[None]:
        """Keep the bars on the terminal until the block ends.

        Args:
            target_records: how many are to be looked at.
            source_records: how many are to be read.
            tally: is counted up meanwhile.
        """
        self.tally = tally
        self._looking = self._progress.add_task(
            "looking what is there", total=target_records, visible=target_records > 0
        )
        self._reading = self._progress.add_task("appending", total=source_records, start=False)
        with self._progress:
            yield

    def report(self, tally: Tally) -> None:
        """Move the bars."""
        self._progress.update(self._looking, completed=tally.looked)
        if tally.read:
            self._progress.start_task(self._reading)
        self._progress.update(self._reading, completed=tally.read)
