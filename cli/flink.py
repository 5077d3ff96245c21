"""`photolog flink`: the jobs over windows of event time: look at them, save their state, go on from it."""

import asyncio
import sys
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from infra.local.java import require_java
from photolog.errors import Conflict, SettingsError
from photolog.library_logs import quieten
from photolog.settings import Settings, load_settings
from schemas.registry import load_serde
from streams.flink_cluster.comparing import JobVerdict
from streams.flink_cluster.rest import FlinkRest
from streams.flink_cluster.states import State, job_uri, states
from streams.flink_cluster.submission import submit
from streams.flink_cluster.verifying import append_again, verify_job
from streams.flink_jobs.catalogue import JOBS

flink = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich")
_SECONDS = 120.0
_SHOWN_MAX = 20
JobName = Annotated[str, typer.Argument(metavar="JOB", help=f"One of {', '.join(JOBS)}.")]
Json = Annotated[bool, typer.Option("--json", help="One object a line.")]


class JobLine(msgspec.Struct, frozen=True, kw_only=True):
    """A job as `--json` prints it; times are RFC 3339."""

    job: str
    state: str
    job_id: str | None = None
    started_at: str | None = None
    tasks: int = 0
    tasks_running: int = 0
    checkpoints: int = 0
    failed_checkpoints: int = 0
    restarts: int = 0
    newest_state: str | None = None


@flink.command()
def jobs(as_json: Json = False) -> None:
    """Show each job: whether it runs, its checkpoints, how often it went on from one, its newest state.

    [bold]Example:[/bold] bin/photolog flink jobs --json
    """
    lines = asyncio.run(_lines(_settings()))
    if as_json:
        for line in lines:
            sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
        return
    columns = ("job", "state", "tasks", "checkpoints", "failed", "restarts", "newest state")
    table = Table(*columns, box=None, pad_edge=False)
    for line in lines:
        counts = (line.checkpoints, line.failed_checkpoints, line.restarts)
        tasks = f"{line.tasks_running}/{line.tasks}"
        table.add_row(line.job, line.state, tasks, *map(str, counts), line.newest_state or "")
    Console(width=None if sys.stdout.isatty() else 200).print(table)


@flink.command()
def savepoint(
    job: JobName,
    stop: Annotated[bool, typer.Option("--stop", help="End the job with it; `flink-worker` brings it back.")] = False,
) -> None:
    """Write a savepoint of a job and tell where it is: before an upgrade, or to keep.

    [bold]Example:[/bold] bin/photolog flink savepoint trending
    """
    print(asyncio.run(_savepoint(_settings(), _known(job), stop)))


@flink.command()
def restore(
    job: JobName,
    source: Annotated[
        str | None, typer.Option("--from", help="A savepoint or checkpoint; the newest one where none is named.")
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="From no state: the topics are read again whole.")] = False,
) -> None:
    """Have a job go on from a savepoint or checkpoint, as this version of it is.

    One that runs is ended first, with a savepoint of its own: where no other is named, nothing is computed twice.

    [bold]Example:[/bold] bin/photolog flink restore trending
    """
    if anew and source is not None:
        raise SettingsError("--from and --anew exclude each other")
    state = asyncio.run(_restore(_settings(), _known(job), source, anew))
    print(f"{job} goes on from {state}" if state else f"{job} begins anew")


@flink.command()
def verify(
    job: JobName,
    repair: Annotated[
        bool, typer.Option("--repair", help="Append what was found, where something else was told.")
    ] = False,
    wait_seconds: Annotated[float, typer.Option(min=1, help="How long the job may take to catch up first.")] = 60.0,
    as_json: Json = False,
) -> None:
    """Compute again, in one bounded run, what a job told, and compare the two; late records are left out.

    Windows count from the first that the topics hold whole to the last that was closed for sure. Exit status 0 where
    all is the same, 1 where anything differs.

    [bold]Example:[/bold] bin/photolog flink verify trending
    """
    verdict = asyncio.run(_verify(_settings(), _known(job), wait_seconds, repair))
    if as_json:
        for wrong in verdict.wrong:
            line = {"place": list(wrong.place), "told": wrong.told, "recomputed": wrong.recomputed}
            sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
        counts = {"job": job, "compared": verdict.compared, "late": verdict.late, "wrong": len(verdict.wrong)}
        sys.stdout.write(msgspec.json.encode(counts).decode() + "\n")
    else:
        for wrong in verdict.wrong[:_SHOWN_MAX]:
            print(f"{'/'.join(map(str, wrong.place))}: told {wrong.told}, recomputed {wrong.recomputed}")
        print(f"{verdict.compared} results compared, {len(verdict.wrong)} wrong; {verdict.late} late records left out")
    if verdict.wrong:
        raise typer.Exit(1)


def _settings() -> Settings:
    quieten("botocore", "httpx", "urllib3")
    return load_settings()


def _known(job: str) -> str:
    if job not in JOBS:
        raise SettingsError(f"there is no job {job}; there are {', '.join(JOBS)}")
    return job


def _rest(settings: Settings) -> FlinkRest:
    if settings.flink.rest_url is None:
        raise SettingsError("PHOTOLOG_FLINK__REST_URL is needed for jobs")
    return FlinkRest(settings.flink.rest_url)


async def _verify(settings: Settings, name: str, wait_seconds: float, repair: bool) -> JobVerdict:
    serde = load_serde(settings.registry)
    java_home = require_java().resolve().parents[1]
    verdict = await verify_job(settings, serde, JOBS[name], java_home, wait_seconds)
    missing = [wrong.recomputed for wrong in verdict.wrong if wrong.recomputed is not None]
    if repair and missing:
        await append_again(settings, serde, missing)
    return verdict


async def _lines(settings: Settings) -> list[JobLine]:
    async with _rest(settings) as rest:
        running = {job.name: job for job in await rest.jobs()}
        lines = []
        for name in JOBS:
            kept = await states(settings, name)
            newest = kept[0].uri if kept else None
            if name not in running:
                lines.append(JobLine(job=name, state="ABSENT", newest_state=newest))
                continue
            job = running[name]
            checkpoints = await rest.checkpoints(job.job_id)
            lines.append(
                JobLine(
                    job=name,
                    state=job.state,
                    job_id=job.job_id,
                    started_at=datetime.fromtimestamp(job.started_ms / 1_000, UTC).isoformat(timespec="milliseconds"),
                    tasks=job.tasks,
                    tasks_running=job.tasks_running,
                    checkpoints=checkpoints.completed,
                    failed_checkpoints=checkpoints.failed,
                    restarts=checkpoints.restarts,
                    newest_state=newest,
                )
            )
        return lines


async def _savepoint(settings: Settings, name: str, stop: bool) -> str:
    async with _rest(settings) as rest:
        job = await rest.job(name)
        return await rest.savepoint(job.job_id, f"{job_uri(settings, name)}/savepoints", stop=stop, seconds=_SECONDS)


async def _restore(settings: Settings, name: str, source: str | None, anew: bool) -> str | None:
    state = None if anew else source
    async with _rest(settings) as rest:
        running = [job for job in await rest.jobs() if job.name == name]
        for job in running:
            saved = await rest.savepoint(
                job.job_id, f"{job_uri(settings, name)}/savepoints", stop=True, seconds=_SECONDS
            )
            if source is None and not anew:
                state = saved
        if state is None and not anew:
            kept: list[State] = await states(settings, name)
            if not kept:
                raise Conflict("no-state", f"{name} has no checkpoint and no savepoint; --anew begins without")
            state = kept[0].uri
        await submit(settings, {name: state}, require_java().resolve().parents[1])
        await _until_up(rest, name)
    return state


async def _until_up(rest: FlinkRest, name: str) -> None:
    deadline = time.monotonic() + _SECONDS
    seen: Any = None
    while time.monotonic() < deadline:
        seen = next((job for job in await rest.jobs() if job.name == name), None)
        if seen is not None and seen.is_up:
            return
        await asyncio.sleep(0.5)
    raise Conflict("not-up", f"{name} was taken and does not run: {seen.state if seen else 'it failed'}")
