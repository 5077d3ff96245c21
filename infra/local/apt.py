"""Debian's package manager, where this user may use it."""

import os
import shutil
import subprocess
from collections.abc import Sequence

from infra.local.errors import StackError

INSTALL_SECONDS_MAX = 900


def apt_command() -> list[str] | None:
    """The beginning of a command that may install packages; None where there is none, or no right to."""
    if shutil.which("apt-get") is None:
        return None
    command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    if os.geteuid() == 0:
        return command
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, timeout=30, check=False).returncode == 0:
        return [sudo, "-n", *command]
    return None


def install(apt: Sequence[str], packages: Sequence[str], advice: str) -> None:
    """Install packages.

    Args:
        apt: the beginning of the command.
        packages: their names.
        advice: what to do where it fails; ends the message.

    Raises:
        StackError: it failed; the message quotes it.
    """
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        _run([*apt, *arguments], advice)


def _run(command: list[str], advice: str) -> None:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise StackError(f"`{' '.join(command)}` took longer than {INSTALL_SECONDS_MAX} s.\n{advice}") from error
    if done.returncode != 0:
        said = f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
        raise StackError(f"`{' '.join(command)}` failed:\n{said}\n{advice}")
