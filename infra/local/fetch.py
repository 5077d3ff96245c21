"""Fetches the engines' jars with Maven into the repository's `.photolog/engines`, once, whole or not at all."""

import fcntl
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.errors import StackError
from infra.local.home import ENGINES
from infra.local.java import ensure_system_packages, java_executable, maven_executable
from infra.local.varnish import install_varnish, varnish_executable

POMS = Path(__file__).parent / "engines"
VERSIONS = {
    "kafka": "4.3.1",
    "cassandra": "5.0.9",
    "s3proxy": "3.1.0",
    "apicurio": "3.0.9",
    "flink": "2.3.0",
    "flink-s3": "2.3.0",
}
FETCH_SECONDS_MAX = 1_800
_DOWNLOADED = re.compile(r"Downloaded from \S+: \S+/(\S+)")


def engine_folder(name: str) -> Path:
    """Where an engine's jars are, once fetched."""
    return ENGINES / f"{name}-{VERSIONS[name]}"


def missing_engines() -> list[str]:
    """The engines that are not fetched yet."""
    return [name for name in VERSIONS if not engine_folder(name).is_dir()]


def ensure_engines(say: Callable[[str], None]) -> None:
    """Install Java and Maven where needed, Varnish where that is allowed, and fetch the engines that are missing.

    Two processes that call this at once fetch one after the other; one that was killed leaves only a staging folder,
    which the next removes.

    Args:
        say: told, in a short line, what is going on; called often.

    Raises:
        StackError: a package is missing, or Maven failed; the message holds the end of what it printed.
    """
    if not missing_engines() and java_executable() and varnish_executable():
        return
    with _one_at_a_time(say) as lock:
        missing = missing_engines()
        ensure_system_packages(say, maven=bool(missing))
        if missing:
            _fetch(missing, lock, say)
        install_varnish(say)


@contextmanager
def _one_at_a_time(say: Callable[[str], None]) -> Iterator[int]:
    ENGINES.mkdir(parents=True, exist_ok=True)
    with (ENGINES / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another process that is fetching the engines …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def _fetch(names: list[str], lock: int, say: Callable[[str], None]) -> None:
    staging = ENGINES / ".staging"
    if staging.exists():
        shutil.rmtree(staging)
    staging.mkdir(parents=True)
    _run_maven(names, staging, lock, say)
    for name in names:
        target = engine_folder(name)
        fetched = staging / target.name
        if not any(fetched.rglob("*.jar")):
            raise StackError(f"Maven reported success, but there are no jars in {fetched}.")
        fetched.rename(target)
    shutil.rmtree(staging)


def _run_maven(names: list[str], staging: Path, lock: int, say: Callable[[str], None]) -> None:
    command = [
        str(maven_executable()), "-B", "-T4", "-f", str(POMS / "pom.xml"), "-pl", ",".join(names), "package",
        f"-Dengine.staging={staging}",
    ]  # fmt: skip
    environment = os.environ | {"JAVA_HOME": str(_java_home())}
    say(f"Fetching {', '.join(names)} with Maven …")
    log = ENGINES / "maven.log"
    with log.open("w") as output:
        # A file rather than a pipe: a full pipe would stop Maven, and the file stays for whoever asks what happened.
        # It holds the lock too, so that one whose parent was killed is waited for.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            pass_fds=[lock],
        )
        try:
            _follow(process, log, say)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode != 0:
        raise StackError(f"Maven could not fetch {', '.join(names)}; the end of {log}:\n{log.read_text()[-2000:]}")


def _follow(process: subprocess.Popen[bytes], log: Path, say: Callable[[str], None]) -> None:
    deadline = time.monotonic() + FETCH_SECONDS_MAX
    while process.poll() is None:
        if time.monotonic() > deadline:
            raise StackError(f"Fetching the engines took longer than {FETCH_SECONDS_MAX} s; see {log}.")
        files = _DOWNLOADED.findall(log.read_text(errors="replace"))
        if files:
            say(f"Fetching engines with Maven: {len(files)} files, last {files[-1]}")
        time.sleep(0.3)


def _java_home() -> Path:
    java = java_executable()
    assert java is not None, "ensure_system_packages made sure of it"
    return java.resolve().parents[1]
