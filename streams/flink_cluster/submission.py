"""Handing jobs to the cluster, by Flink's own command line."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from photolog.engines.flink_home import flink_home
from photolog.errors import SettingsError, StoreUnavailable
from photolog.settings import Settings
from streams.flink_jobs.catalogue import JOBS

_PROGRAM = Path(__file__).parents[1] / "flink_jobs" / "main.py"
_ROOT = Path(__file__).parents[2]
_SECONDS_MAX = 300.0
_TOLD_CHARACTERS = 2_000
logger = structlog.get_logger(__name__)


async def submit(settings: Settings, wanted: Mapping[str, str | None], java_home: Path) -> None:
    """Hand jobs over, all by one call, as starting Flink's client takes longer than anything that it does.

    Args:
        settings: where the cluster and the topics are. The jobs read them from this process's environment.
        wanted: for each job the checkpoint or savepoint that it goes on from, None to begin anew.
        java_home: a Java for the client.

    Raises:
        SettingsError: no cluster is set.
        StoreUnavailable: the client failed; the message ends with what it said.
    """
    unknown = wanted.keys() - JOBS.keys()
    if unknown:
        raise SettingsError(f"there is no job {', '.join(sorted(unknown))}; there are {', '.join(JOBS)}")
    jobs = [name if state is None else f"{name}={state}" for name, state in wanted.items()]
    await run_program(settings, _PROGRAM, jobs, java_home, detached=True)
    logger.info("jobs-submitted", jobs={name: state or "anew" for name, state in wanted.items()})


async def run_program(
    settings: Settings, program: Path, arguments: Sequence[str], java_home: Path, *, detached: bool
) -> None:
    """Run a Python program of ours with Flink's client.

    Args:
        settings: where the cluster is.
        program: the file.
        arguments: what it is given.
        java_home: a Java for the client.
        detached: whether its jobs go on without it.

    Raises:
        SettingsError: no cluster is set.
        StoreUnavailable: it failed; the message ends with what was said.
    """
    how = ["--detached"] if detached else []
    python = ["-pyclientexec", sys.executable, "-pyexec", sys.executable]
    client = str(flink_home() / "bin" / "flink")
    with tempfile.TemporaryDirectory(prefix="photolog-flink-") as folder:
        _configure(settings, Path(folder))
        await _run([client, "run", *how, *python, "-py", str(program), *arguments], Path(folder), java_home)


def _configure(settings: Settings, folder: Path) -> None:
    """Flink's client finds the cluster in a file; what opens Java's modules to it comes from the wheel's own."""
    if settings.flink.rest_url is None:
        raise SettingsError("PHOTOLOG_FLINK__REST_URL is needed for jobs")
    cluster = urlsplit(settings.flink.rest_url)
    secure = cluster.scheme == "https"
    shipped = flink_home() / "conf"
    opened = next(line for line in (shipped / "config.yaml").read_text().splitlines() if "all: --add-" in line)
    lines = [
        "env:",
        "  java:",
        "    opts:",
        f"      {opened.strip()}",
        f"rest.address: {cluster.hostname}",
        f"rest.port: {cluster.port or (443 if secure else 80)}",
        f"security.ssl.rest.enabled: {str(secure).lower()}",
        "execution.target: remote",
    ]
    (folder / "config.yaml").write_text("\n".join(lines) + "\n")
    for name in ("log4j-cli.properties", "log4j.properties"):
        (folder / name).write_text((shipped / name).read_text())


async def _run(command: Sequence[str], folder: Path, java_home: Path) -> None:
    environment = os.environ | {
        "JAVA_HOME": str(java_home),
        "FLINK_CONF_DIR": str(folder),
        "FLINK_LOG_DIR": str(folder),
        "PYTHONPATH": str(_ROOT),
        # A client for one call: compiling it well would take longer than the call.
        "JVM_ARGS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx512m",
    }
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
        start_new_session=True,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _SECONDS_MAX)
    except TimeoutError:
        raise StoreUnavailable(f"Flink's client took longer than {_SECONDS_MAX:.0f} s") from None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, 9)
            await process.wait()
    said = output.decode(errors="replace")
    if process.returncode != 0:
        causes = [line for line in said.splitlines() if line.startswith("Caused by") or "Error" in line]
        raise StoreUnavailable(f"Flink's client failed: {' | '.join(causes[-3:]) or said[-_TOLD_CHARACTERS:]}")
