"""How the demo's life is shown while it goes on: a bar for each stage, and how long it took."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage that is over: how many did it, and for how long in all."""

    title: str
    count: int
    seconds: float


class Stages:
    """Runs stages one after the other, the items of each concurrently.

    Args:
        console: where the bars go; without a terminal each stage is one line when it is over.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self.done: list[Stage] = []
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:<34}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Keep the bars on the terminal until the block ends."""
        with self._progress:
            yield

    async def each(self, title: str, items: Iterable[T], act: Callable[[T], Awaitable[R]], at_once_max: int) -> list[R]:
        """Do something with each item, at most so many at once.

        Returns:
            What each gave, in the order of the items.

        Raises:
            Exception: the first that an item raised; the others are cancelled.
        """
        listed = list(items)
        task = self._progress.add_task(title, total=len(listed))
        gate = asyncio.Semaphore(at_once_max)
        started = time.monotonic()

        async def one(item: T) -> R:
            async with gate:
                result = await act(item)
            self._progress.advance(task)
            return result

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(item)) for item in listed]
        except ExceptionGroup as errors:
            # The others were cancelled by the first; that one is what went wrong.
            raise errors.exceptions[0] from errors
        stage = Stage(title, len(listed), time.monotonic() - started)
        self.done.append(stage)
        if not self._console.is_terminal:
            self._console.print(f"{stage.title}: {stage.count} in {stage.seconds:.1f} s")
        return [task.result() for task in tasks]
