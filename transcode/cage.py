"""The program around a program that reads hostile bytes: `python -P -S -m transcode.cage BOUNDS_JSON COMMAND …`.

It gives up what the command does not need and becomes the command. It imports the standard library only, so that it
costs milliseconds. Where a kernel lacks one of the guards, the others hold: ADR 31 tells which is which.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
from typing import Any

from transcode.landlock import lock_files

NOT_CAGED = 97
"""The exit code where the command was not begun."""

_OPEN_FILES_MAX = 128
_CPU_SECONDS_OVER = 2
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def main() -> None:
    """Confine this process and become the command."""
    bounds: dict[str, Any] = json.loads(sys.argv[1])
    try:
        if sys.platform == "linux":
            leave_network()
        # After it, because the kernel forgets whom to die with where rights change.
        die_with(bounds["parent_pid"])
        hold(bounds)
        if sys.platform == "linux":
            lock_files(bounds["readable"], bounds["listable"], bounds["writable"])
        os.execv(sys.argv[2], sys.argv[2:])
    except OSError as error:
        print(f"not confined: {error}", file=sys.stderr)
        sys.exit(NOT_CAGED)


def die_with(parent_pid: int) -> None:
    """On Linux, have the kernel kill this process when its parent ends, however it ends, and give it no new rights."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # When memory is short, the kernel is to take this process and not the worker.
        with open("/proc/self/oom_score_adj", "w") as score:
            score.write("1000")
    if os.getppid() != parent_pid:
        sys.exit("the parent is gone")


def leave_network() -> None:
    """Go where there is no network, as root or else, where the kernel lets anybody, as nobody in particular."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def hold(bounds: dict[str, Any]) -> None:
    """Bounds that the command cannot lift."""
    # At the first the kernel says why, at the second it kills.
    cpu_seconds = bounds["cpu_seconds_max"]
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + _CPU_SECONDS_OVER))
    for bound, value in (
        (resource.RLIMIT_AS, bounds["memory_bytes_max"]),
        (resource.RLIMIT_FSIZE, bounds["file_bytes_max"]),
        (resource.RLIMIT_NOFILE, _OPEN_FILES_MAX),
        (resource.RLIMIT_CORE, 0),
    ):
        # macOS knows no bound of the address space and refuses to set one.
        with contextlib.suppress(ValueError) if sys.platform != "linux" else contextlib.nullcontext():
            resource.setrlimit(bound, (value, value))


if __name__ == "__main__":
    main()
