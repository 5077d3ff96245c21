"""Java 17 and Maven: found, or installed through the system's package manager where that is allowed."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from infra.local.apt import apt_command, install
from infra.local.errors import StackError

# Cassandra 5.0 runs on 11 and 17, the registry needs at least 17.
JAVA_MAJOR = 17
PACKAGES = {"java": "openjdk-17-jre-headless", "mvn": "maven"}
JAVA_FOLDERS = Path("/usr/lib/jvm")


@lru_cache(maxsize=1)
def java_executable() -> Path | None:
    """A Java 17 on this machine, from JAVA_HOME, PATH or the usual folder; None if there is none."""
    for candidate in _candidates():
        if candidate.is_file() and os.access(candidate, os.X_OK) and _major(candidate) == JAVA_MAJOR:
            return candidate
    return None


def maven_executable() -> Path | None:
    """The `mvn` on PATH; None if there is none."""
    found = shutil.which("mvn")
    return Path(found) if found else None


def require_java() -> Path:
    """A Java 17.

    Raises:
        StackError: there is none; the message says how to get it.
    """
    found = java_executable()
    if found is None:
        raise StackError(_instructions(["java"]))
    return found


def ensure_system_packages(say: Callable[[str], None], *, maven: bool) -> None:
    """Install what is missing of Java 17 and, if asked for, Maven.

    Args:
        say: told what is being installed.
        maven: whether Maven is needed too (only to fetch engines).

    Raises:
        StackError: something is missing and may not be installed from here; the message says what to install.
    """
    missing = _missing(maven)
    if not missing:
        return
    apt = apt_command()
    if apt is None:
        raise StackError(_instructions(missing))
    packages = [PACKAGES[name] for name in missing]
    say(f"Installing {' and '.join(packages)} with apt-get (once) …")
    install(apt, packages, _instructions(missing))
    java_executable.cache_clear()
    if still := _missing(maven):
        raise StackError(f"apt-get reported success, but {', '.join(still)} cannot be found. {_instructions(still)}")


def _missing(maven: bool) -> list[str]:
    missing = [] if java_executable() else ["java"]
    if maven and maven_executable() is None:
        missing.append("mvn")
    return missing


def _candidates() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if found := shutil.which("java"):
        yield Path(found)
    if JAVA_FOLDERS.is_dir():
        yield from (folder / "bin" / "java" for folder in sorted(JAVA_FOLDERS.iterdir()))


def _major(java: Path) -> int | None:
    """The major version, from the `release` file that a Java comes with, or else by asking it."""
    release = java.resolve().parents[1] / "release"
    if release.is_file():
        found = re.search(r'^JAVA_VERSION="(\d+)', release.read_text(), re.MULTILINE)
    else:
        answer = subprocess.run([str(java), "-version"], capture_output=True, text=True, timeout=30, check=False)
        found = re.search(r'version "(\d+)', answer.stderr)
    return int(found.group(1)) if found else None


def _instructions(missing: list[str]) -> str:
    wanted = {"java": f"Java {JAVA_MAJOR} exactly (a runtime is enough)", "mvn": "Maven 3.6 or later"}
    packages = " ".join(PACKAGES[name] for name in missing)
    return (
        f"Missing: {' and '.join(wanted[name] for name in missing)}. On Debian or Ubuntu: "
        f"`sudo apt-get install {packages}`. Elsewhere install it by the system's own means and set JAVA_HOME or PATH, "
        "then run the same command again."
    )
