"""One decoder process, seen from outside: started, asked, and killed at the first sign of trouble."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import IO

import msgspec
import structlog

from transcode.errors import Reason, SandboxUnavailable
from transcode.frames import LENGTH_BYTES, Answer, Ready, Refused, SandboxLimits, body_length, decoded_answer
from transcode.plan import Made

_ROOT = Path(__file__).resolve().parent.parent
_START_SECONDS_MAX = 30.0
_FAREWELL_SECONDS_MAX = 5.0
# What an answer holds besides variants: names, sizes, prints, a diagnosis.
_ANSWER_OVERHEAD_BYTES = 64 * 1024
_STDERR_TAIL_BYTES = 2_000
_log = structlog.get_logger(__name__)


class DecoderDied(Exception):
    """The process is gone, and the picture that it held has no answer; the reason tells whose doing it was."""

    def __init__(self, reason: Reason, diagnosis: str) -> None:
        super().__init__(diagnosis)
        self.reason = reason


class _BrokenAnswer(Exception):
    """The process said something that no sound decoder says."""


class DecoderProcess:
    """A process that makes variants of one picture at a time. It holds the process and the file of its stderr."""

    def __init__(self, limits: SandboxLimits, module: str) -> None:
        self._limits = limits
        self._module = module
        self._process: Process | None = None
        self._stderr: IO[bytes] | None = None
        self._pictures = 0

    @property
    def pid(self) -> int | None:
        """The number of the process, if it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def prepare(self) -> None:
        """See that a process runs, a new one if the last has had its share of pictures.

        Raises:
            SandboxUnavailable: it does not start.
        """
        is_spent = self._pictures >= self._limits.pictures_max
        if is_spent or self._process is None or self._process.returncode is not None:
            await self.kill()
            await self._start()

    async def ask(self, request: bytes) -> Made | Refused:
        """The answer to a framed request. Whatever else happens, the process is dead afterwards.

        Raises:
            DecoderDied: there is no answer, or none that can be believed.
        """
        self._pictures += 1
        try:
            async with asyncio.timeout(self._limits.wall_seconds_max):
                await self._write(request)
                answer = await self._read()
            if isinstance(answer, Ready) or (isinstance(answer, Made) and not answer.follows_plan):
                raise _BrokenAnswer("an answer to another question")
            return answer
        except TimeoutError as error:
            raise await self._died(Reason.TOO_SLOW, "no answer in time") from error
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            raise await self._died(Reason.DECODER_CRASHED, "the process ended") from error
        except (_BrokenAnswer, msgspec.DecodeError) as error:
            raise await self._died(Reason.DECODER_CRASHED, str(error)) from error
        except BaseException:
            # Cancelled in the middle: the next picture must not get this one's answer.
            await self.kill()
            raise

    async def kill(self) -> int | None:
        """End the process, if there is one, with all that it started; its exit code (negative: the signal)."""
        process, self._process, self._pictures = self._process, None, 0
        stderr, self._stderr = self._stderr, None
        if process is not None:
            await _end(process)
        if stderr is not None:
            stderr.close()
        return process.returncode if process is not None else None

    async def _start(self) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", self._module, str(os.getpid()), msgspec.json.encode(self._limits).decode()),
            stdin=PIPE,
            stdout=PIPE,
            stderr=self._stderr,
            env=_environment(),
            cwd="/",
            # A session of its own, so that a Ctrl-C reaches the pool only and a kill reaches everything inside.
            start_new_session=True,
            limit=1024 * 1024,
        )
        try:
            async with asyncio.timeout(_START_SECONDS_MAX):
                is_ready = isinstance(await self._read(), Ready)
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, _BrokenAnswer, msgspec.DecodeError):
            is_ready = False
        except BaseException:
            await self.kill()
            raise
        if not is_ready:
            said = self._stderr_tail()
            code = await self.kill()
            raise SandboxUnavailable(f"a decoder did not start (exit code {code}): {said}")

    async def _write(self, request: bytes) -> None:
        stdin, _ = _pipes(self._process)
        stdin.write(request)
        await stdin.drain()

    async def _read(self) -> Answer:
        _, stdout = _pipes(self._process)
        length = body_length(await stdout.readexactly(LENGTH_BYTES))
        if length > self._limits.output_bytes_max + _ANSWER_OVERHEAD_BYTES:
            raise _BrokenAnswer(f"an answer of {length} bytes")
        return decoded_answer(await stdout.readexactly(length))

    async def _died(self, reason: Reason, diagnosis: str) -> DecoderDied:
        said = self._stderr_tail()
        code = await self.kill()
        if code == -signal.SIGXCPU:
            reason = Reason.TOO_SLOW
        _log.warning("decoder_died", reason=reason, diagnosis=diagnosis, exit_code=code, stderr=said)
        return DecoderDied(reason, f"{diagnosis} (exit code {code})")

    def _stderr_tail(self) -> str:
        if self._stderr is None:
            return ""
        size = os.fstat(self._stderr.fileno()).st_size
        tail = os.pread(self._stderr.fileno(), _STDERR_TAIL_BYTES, max(0, size - _STDERR_TAIL_BYTES))
        return tail.decode(errors="replace").strip()


def _environment() -> dict[str, str]:
    """Nothing of ours: a process that decodes hostile bytes gets no secret."""
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(_ROOT),
        "LC_ALL": "C.UTF-8",
        "VIPS_BLOCK_UNTRUSTED": "1",
        "VIPS_CONCURRENCY": "1",
        # Each further arena of glibc reserves 64 MB of the address space that pictures are to have.
        "MALLOC_ARENA_MAX": "2",
        # NumPy's algebra would start a thread for each core, with a stack and buffers of its own.
        "OPENBLAS_NUM_THREADS": "1",
    }


def _pipes(process: Process | None) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
    """Stdin and stdout of a process that was prepared."""
    if process is None or process.stdin is None or process.stdout is None:
        raise RuntimeError("no decoder was prepared")
    return process.stdin, process.stdout


async def _end(process: Process) -> None:
    # Once reaped, its number may be another's.
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    stdin, stdout = _pipes(process)
    stdin.close()
    try:
        async with asyncio.timeout(_FAREWELL_SECONDS_MAX):
            # What was in the pipe is read away, as asyncio reports an exit only after the pipe's end.
            await stdout.read()
            await process.wait()
    except TimeoutError:
        _log.error("decoder_lingers", pid=process.pid)
