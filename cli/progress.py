"""How a boot looks while it goes on."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from infra.local.records import ProcessRecord


class BootProgress:
    """One line for each process and one for what is being prepared.

    Without a terminal it prints a line for each change instead.

    Args:
        console: where to.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen: dict[str, str] = {}
        self._said = ""
        self._tasks: dict[str, TaskID] = {}
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Keep the lines on the terminal until the block ends."""
        with self._progress:
            yield

    def say(self, message: str) -> None:
        """What is being prepared now."""
        if self._console.is_terminal:
            self._line("", message, done=False)
        elif message.partition(":")[0] != self._said:
            self._said = message.partition(":")[0]
            self._console.print(message)

    def show(self, records: list[ProcessRecord]) -> None:
        """How the processes are."""
        if records and "" in self._tasks:
            self._progress.update(self._tasks[""], visible=False)
        for record in records:
            if self._seen.get(record.name) == record.phase:
                continue
            self._seen[record.name] = record.phase
            done = record.phase in ("ready", "done")
            if self._console.is_terminal:
                self._line(record.name, f"{record.name:<18} {record.phase}", done=done)
            elif record.phase not in ("waiting", "starting"):
                self._console.print(f"{record.name}: {record.phase}")

    def _line(self, key: str, text: str, *, done: bool) -> None:
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task(text, total=1)
        self._progress.update(self._tasks[key], description=text, completed=1 if done else 0)
