"""Running a program on hostile bytes from outside: within bounds of time and output, and killed with all it started."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import sysconfig
import tempfile
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import msgspec

from transcode.cage import NOT_CAGED
from transcode.errors import Reason, SandboxUnavailable

_ROOT = Path(__file__).resolve().parent.parent
_LOOK_SECONDS = 0.25
_FAREWELL_SECONDS_MAX = 5.0
_ANSWER_BYTES_MAX = 64 * 1024
_SAID_CHARACTERS_MAX = 2_000
_READ_BYTES_MAX = 1024 * 1024
# What a program needs to start; never /proc, where the environment of other processes can be read.
_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/dev/null", "/dev/urandom", "/sys/devices/system/cpu")
# As libraries put it.
_OUT_OF_MEMORY = ("cannot allocate memory", "out of memory", "memoryerror", "std::bad_alloc", "malloc of size")
# ffmpeg's, where it caught a signal to stop; the only one that it gets from anybody is that its processor time is over.
_FFMPEG_INTERRUPTED = 255
_BY_SIGNAL: dict[int, Reason] = {signal.SIGXCPU: Reason.TOO_SLOW, signal.SIGXFSZ: Reason.TOO_MUCH_OUTPUT}


class Bounds(msgspec.Struct, frozen=True):
    """What one run may cost: memory is address space, the time of processors that of all threads."""

    memory_bytes_max: int
    cpu_seconds_max: int
    wall_seconds_max: float
    output_bytes_max: int


class Ended(msgspec.Struct, frozen=True):
    """How a run ended.

    Args:
        code: its exit code (negative: the signal).
        answer: the beginning of its stdout.
        said: the first and the last words of its stderr.
        reason: why it was stopped or failed, where that is known.
    """

    code: int
    answer: bytes
    said: str
    reason: Reason | None


async def run_caged(
    command: Sequence[str], folder: Path, bounds: Bounds, readable: Sequence[Path] = (), devices: Sequence[Path] = ()
) -> Ended:
    """Run a program in a folder, which is all that it may write to, and wait for its end. Cancelling kills it.

    Args:
        command: the program, absolute, and its arguments.
        folder: its working directory.
        bounds: what it may cost.
        readable: what it needs to read beside the folder and the system's libraries.
        devices: what it may use beside.

    Raises:
        SandboxUnavailable: it could not be started; nothing was judged.
    """
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as said:
        process = await _start(command, folder, bounds, (readable, devices), answer, said)
        try:
            stopped = await _watched(process, folder, bounds)
        finally:
            await _end(process)
        words, code = _words(said), process.returncode if process.returncode is not None else -signal.SIGKILL
        if code == NOT_CAGED:
            raise SandboxUnavailable(f"{command[0]} did not start: {_shortened(words)}")
        reason = stopped or _reason(code, words)
        return Ended(code, os.pread(answer.fileno(), _ANSWER_BYTES_MAX, 0), _shortened(words), reason)


async def _start(
    command: Sequence[str],
    folder: Path,
    bounds: Bounds,
    allowed: tuple[Sequence[Path], Sequence[Path]],
    answer: IO[bytes],
    said: IO[bytes],
) -> Process:
    readable, devices = allowed
    told = {
        "parent_pid": os.getpid(),
        "memory_bytes_max": bounds.memory_bytes_max,
        "cpu_seconds_max": bounds.cpu_seconds_max,
        "file_bytes_max": bounds.output_bytes_max,
        "readable": [*_SYSTEM, *(str(path) for path in readable)],
        # Python looks for our modules by their names.
        "listable": [str(_ROOT)],
        "writable": [str(folder), *(str(path) for path in devices)],
    }
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-S", "-m", "transcode.cage", json.dumps(told), *command),
            stdin=DEVNULL,
            stdout=answer,
            stderr=said,
            env=_environment(),
            cwd=folder,
            # A session of its own, so that a Ctrl-C reaches the worker only and a kill reaches everything inside.
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxUnavailable(f"{command[0]} did not start: {error}") from error


def python_paths() -> tuple[Path, ...]:
    """What a Python program of ours reads as it starts."""
    places = {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), sys.prefix}
    return (*(Path(place) for place in places), Path(sys.base_prefix), _ROOT / "transcode", _ROOT / "photolog")


async def _watched(process: Process, folder: Path, bounds: Bounds) -> Reason | None:
    """Wait for the end, or for the bound that is passed first."""
    try:
        async with asyncio.timeout(bounds.wall_seconds_max):
            # Looked at once more at the end, as much can be written between two looks.
            while _written_bytes(folder) <= bounds.output_bytes_max:
                if process.returncode is not None:
                    return None
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), _LOOK_SECONDS)
    except TimeoutError:
        return Reason.TOO_SLOW
    return Reason.TOO_MUCH_OUTPUT


def _written_bytes(folder: Path) -> int:
    with os.scandir(folder) as entries:
        return sum(entry.stat(follow_symlinks=False).st_size for entry in entries if entry.is_file())


def _reason(code: int, words: str) -> Reason | None:
    if code == 0:
        return None
    if any(sign in words.lower() for sign in _OUT_OF_MEMORY):
        return Reason.TOO_MUCH_MEMORY
    if code == _FFMPEG_INTERRUPTED:
        return Reason.TOO_SLOW
    return _BY_SIGNAL.get(-code, Reason.DECODER_CRASHED) if code < 0 else None


async def _end(process: Process) -> None:
    # Also where it ended by itself: what it started has its group's number, which nobody else gets while one lives.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    async with asyncio.timeout(_FAREWELL_SECONDS_MAX):
        await process.wait()


def _words(said: IO[bytes]) -> str:
    return os.pread(said.fileno(), _READ_BYTES_MAX, 0).decode(errors="replace").strip()


def _shortened(words: str) -> str:
    """ffmpeg names the cause first, Python last."""
    half = _SAID_CHARACTERS_MAX // 2
    return words if len(words) <= _SAID_CHARACTERS_MAX else f"{words[: half - 1]}…{words[-half:]}"


def _environment() -> dict[str, str]:
    """Nothing of ours: a process that reads hostile bytes gets no secret."""
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(_ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        # Errors only: SVT-AV1 otherwise prints its settings.
        "SVT_LOG": "1",
        # Each further arena of glibc reserves 64 MB of the address space.
        "MALLOC_ARENA_MAX": "2",
    }
