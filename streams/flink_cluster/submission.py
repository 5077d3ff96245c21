"""Handing jobs to the cluster, by Flink's own command line."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping
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
    with tempfile.TemporaryDirectory(prefix="photolog-flink-") as folder:
        _configure(settings, Path(folder))
        said = await _run(_command(wanted), Path(folder), java_home)
    logger.info("jobs-submitted", jobs=sorted(wanted), said=said[-_TOLD_CHARACTERS:] if "Exception" in said else "")


def _command(wanted: Mapping[str, str | None]) -> list[str]:
    python = sys.executable
    jobs = [name if state is None else f"{name}={state}" for name, state in wanted.items()]
    client = str(flink_home() / "bin" / "flink")
    return [client, "run", "--detached", "-pyclientexec", python, "-pyexec", python, "-py", str(_PROGRAM), *jobs]


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


async def _run(command: list[str], folder: Path, java_home: Path) -> str:
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
        raise StoreUnavailable(f"Flink did not take the jobs: {' | '.join(causes[-3:]) or said[-_TOLD_CHARACTERS:]}")
    return said
