"""What the commands about generations share: the engines, a progress bar, the digests as they are printed."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.deadlines import request_seconds_max
from photolog.library_logs import quieten
from photolog.settings import Settings, load_settings
from photolog.telemetry import configure_logging
from streams.bootstrap import Connected, connect_generations
from streams.generation_admin import AdminPorts, GenerationAdmin
from streams.generation_ports import admin_ports

_SLACK_SECONDS = 5.0


@asynccontextmanager
async def desk(settings: Settings) -> AsyncIterator[tuple[Connected, AdminPorts]]:
    """The engines, and what the work on generations stands on."""
    async with connect_generations(settings) as connected:
        yield connected, admin_ports(settings, connected, request_seconds_max(settings) + _SLACK_SECONDS)


@asynccontextmanager
async def admin_of(projection: str) -> AsyncIterator[GenerationAdmin]:
    """The work on one projection's generations, with the settings of this process."""
    async with desk(quiet_settings()) as (_, ports):
        yield GenerationAdmin(ports, projection)


def quiet_settings() -> Settings:
    """The settings; libraries say nothing but what is wrong."""
    settings = load_settings()
    configure_logging("warning", "cli")
    quieten("botocore", "httpx", "librdkafka", "urllib3")
    # Its warnings are about how the driver is used, each time anew.
    logging.getLogger("cassandra").setLevel(logging.ERROR)
    return settings


def rate_bar(console: Console, unit: str) -> Progress:
    """A bar with a rate and the time that is left. Without a terminal nothing is drawn."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}" + f" {unit}/s"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


@contextmanager
def row_counter(console: Console, what: str) -> Iterator["RowCounter"]:
    """Count rows on the terminal while something reads them."""
    columns = (TextColumn("{task.description}"), TextColumn("{task.completed} rows"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        yield RowCounter(shown, what)


class RowCounter:
    """Rows that were read, as a line of a progress display."""

    def __init__(self, shown: Progress, what: str) -> None:
        self._shown = shown
        self._task = shown.add_task(what, total=None)

    def __call__(self, rows: int) -> None:
        """So many more were read."""
        self._shown.advance(self._task, rows)
