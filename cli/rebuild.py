"""`bin/photolog rebuild`: folds the log into a new generation of a read model while everything goes on."""

import asyncio
import os
import signal
import sys
import time
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from cli.generation_desk import admin_of, rate_bar
from photolog.errors import Conflict
from photolog.ids import now_ms
from photolog.log.ends import Ends
from photolog.log.moments import parse_moment
from projections.generations import Generations
from streams.generation_admin import GenerationAdmin
from streams.rebuilding import Share, left

_SHOW_SECONDS = 0.5
_WORKERS_MAX = 64
_BUSY_SECONDS = 0.05


class RebuildLine(msgspec.Struct, frozen=True, kw_only=True):
    """How far a rebuild is, as `--json` prints it."""

    projection: str
    generation: int
    state: str
    records: int
    left: int
    seconds: float


def rebuild(
    name: Annotated[str, typer.Argument(help="The projection's name.")],
    at: Annotated[
        str | None,
        typer.Option("--at", help="As things stood at this time, ISO 8601. Such a generation is to look at."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=_WORKERS_MAX, help="Processes, which share the partitions.")] = 1,
    rate: Annotated[int | None, typer.Option(min=1, help="Records a second at most, all processes together.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
    share: Annotated[str | None, typer.Option(hidden=True, help="Which share a process of several folds.")] = None,
) -> None:
    """Fold the log into a new generation beside the live one.

    Stopped by Ctrl-C or killed at any moment, it goes on where it was when it is run again with the same words. Once it
    has caught up, live jobs keep it up to date until `swap` shows it or `prune` gives it up.
    """
    until_ms = None if at is None else parse_moment(at, now_ms(), "--at")
    if share is not None:
        asyncio.run(_fold_share(name, until_ms, rate, share))
        return
    console = Console(highlight=False)
    try:
        asyncio.run(_run(name, until_ms, workers, rate, dry_run, as_json, console))
    except KeyboardInterrupt:
        console.print("stopped; the same command goes on where it was", style="yellow")
        raise typer.Exit(130) from None


async def _run(
    name: str, until_ms: int | None, workers: int, rate: int | None, dry_run: bool, as_json: bool, console: Console
) -> None:
    async with admin_of(name) as admin:
        if dry_run:
            await _plan(admin, name, until_ms, console)
            return
        generations = await admin.prepare(until_ms)
        report = _Report(name, generations, admin, await admin.target(until_ms), console, as_json)
        if generations.is_fed:
            await report.end("fed")
            return
        await _watched(admin, generations, report, workers, rate)
        taken = await admin.finish(generations)
        await report.end("built" if until_ms is not None else "fed" if taken else "not-followed")


async def _plan(admin: GenerationAdmin, name: str, until_ms: int | None, console: Console) -> None:
    generations = await admin.generations()
    target = await admin.target(until_ms)
    building = generations.building
    stored = await admin.positions(building) if building is not None else {}
    number = building or generations.newest + 1
    begun = "goes on" if building is not None else "would begin"
    console.print(
        f"generation {number} of {name} {begun}: {left(target, stored)} records of {sum(target.values())} left"
    )


async def _watched(
    admin: GenerationAdmin, generations: Generations, report: "_Report", workers: int, rate: int | None
) -> None:
    """Fold, and show how far it is."""
    showing = asyncio.create_task(report.run())
    try:
        if workers == 1:
            await admin.fold(generations, Share(), Pace(rate).heard)
        else:
            await _fold_in_processes(generations, report.projection, workers, rate)
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)


async def _fold_in_processes(generations: Generations, name: str, workers: int, rate: int | None) -> None:
    options = ["--rate", str(max(1, rate // workers))] if rate is not None else []
    if generations.until_ms is not None:
        options += ["--at", datetime.fromtimestamp(generations.until_ms / 1_000, UTC).isoformat()]
    command = (sys.executable, "-m", "cli.app", "rebuild", name, *options)
    children = [
        await asyncio.create_subprocess_exec(*command, "--share", f"{index}/{workers}") for index in range(workers)
    ]
    try:
        statuses = await asyncio.gather(*(child.wait() for child in children))
    finally:
        for child in children:
            if child.returncode is None:
                child.send_signal(signal.SIGTERM)
        await asyncio.gather(*(child.wait() for child in children))
    if any(statuses):
        raise Conflict("rebuild-failed", "a process of the rebuild failed; the same command goes on where it was")


async def _fold_share(name: str, until_ms: int | None, rate: int | None, share: str) -> None:
    index, _, of = share.partition("/")
    async with admin_of(name) as admin:
        generations = await admin.generations()
        if generations.until_ms != until_ms:
            raise Conflict("rebuild-changed", "another rebuild was begun meanwhile")
        loop = asyncio.get_running_loop()
        # The positions tell how far it came; there is nothing to tidy up.
        loop.add_signal_handler(signal.SIGTERM, os._exit, 143)
        await admin.fold(generations, Share(int(index), int(of)), Pace(rate).heard)


class Pace:
    """Holds up whoever is quicker than a rate.

    Args:
        rate: records a second; None for no bound.
    """

    def __init__(self, rate: int | None) -> None:
        self._rate = rate
        self._began = time.monotonic()
        self._records = 0

    async def heard(self, records: int) -> None:
        """So many more were folded."""
        self._records += records
        if self._rate is not None:
            ahead = self._records / self._rate - (time.monotonic() - self._began)
            if ahead > _BUSY_SECONDS:
                await asyncio.sleep(ahead)


class _Report:
    """Shows how far a rebuild is, from the positions that it stores."""

    def __init__(
        self,
        projection: str,
        generations: Generations,
        admin: GenerationAdmin,
        target: Ends,
        console: Console,
        as_json: bool,
    ) -> None:
        self.projection = projection
        self._number = generations.building or 0
        self._admin = admin
        self._target = target
        self._total = sum(target.values())
        self._console = console
        self._as_json = as_json
        self._began = time.monotonic()

    async def run(self) -> None:
        """Show it until cancelled."""
        with rate_bar(self._console if not self._as_json else Console(quiet=True), "records") as bar:
            begun_at = self._total - await self._left()
            task = bar.add_task(f"{self.projection} → generation {self._number}", total=self._total, rate="0")
            while True:
                done = self._total - await self._left()
                seconds = max(time.monotonic() - self._began, 0.001)
                bar.update(task, completed=done, rate=f"{(done - begun_at) / seconds:,.0f}")
                await asyncio.sleep(_SHOW_SECONDS)

    async def end(self, state: str) -> None:
        """Say what has become of it."""
        seconds = round(time.monotonic() - self._began, 2)
        remaining = await self._left()
        if self._as_json:
            line = RebuildLine(
                projection=self.projection,
                generation=self._number,
                state=state,
                records=self._total,
                left=remaining,
                seconds=seconds,
            )
            sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
            return
        told = {
            "fed": f"live jobs keep it up to date. Next: `verify {self.projection}`, `swap {self.projection}`",
            "built": f"as things stood then; `prune {self.projection}` gives it up",
            "not-followed": "no live job has taken over yet; are workers running? It cannot go live before",
        }[state]
        self._console.print(
            f"generation {self._number} of {self.projection}: {self._total} records, {seconds} s; {told}"
        )

    async def _left(self) -> int:
        return left(self._target, await self._admin.positions(self._number))
