"""A pool of decoder processes, so that a hostile picture costs at most the process that it was given to."""

import asyncio
from types import TracebackType
from typing import Self

from transcode.errors import Reason, UnprocessableMedia
from transcode.frames import Refused, Request, SandboxLimits, framed
from transcode.plan import Made
from transcode.process import DecoderDied, DecoderProcess
from transcode.sniff import PhotoType


class VariantPool:
    """Makes variants in at most `workers` processes at a time; further callers wait for one.

    Use it as an asynchronous context manager: entering starts the processes, leaving waits for the pictures in
    progress (at most `wall_seconds_max`, twice where a crash is tried again) and ends the processes. On Linux they
    also die with the thread that started them.

    Args:
        workers: processes; as many as processor cores is right for throughput.
        limits: what one picture may cost.
        decoder_module: the program that runs in each process.
    """

    def __init__(
        self, workers: int, limits: SandboxLimits | None = None, decoder_module: str = "transcode.decoder"
    ) -> None:
        if workers < 1:
            raise ValueError(f"workers must be at least 1, not {workers}")
        self._limits = limits or SandboxLimits()
        self._decoders = [DecoderProcess(self._limits, decoder_module) for _ in range(workers)]
        # Last in, first out: a process that just worked has its memory warm.
        self._idle: asyncio.LifoQueue[DecoderProcess] = asyncio.LifoQueue()
        self._is_closed = True

    async def __aenter__(self) -> Self:
        try:
            # Every start is waited for, so that none is still under way when a failed one ends them all.
            starts = await asyncio.gather(*(decoder.prepare() for decoder in self._decoders), return_exceptions=True)
            for failure in filter(None, starts):
                raise failure
        except BaseException:
            await self._kill_all()
            raise
        for decoder in self._decoders:
            self._idle.put_nowait(decoder)
        self._is_closed = False
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closed = True
        try:
            for _ in self._decoders:
                await self._idle.get()
        finally:
            await self._kill_all()

    async def make(self, data: bytes, kind: PhotoType) -> Made:
        """The variants of one photograph.

        Raises:
            UnprocessableMedia: the picture is refused, crashed its decoder, or cost more than the limits.
            SandboxUnavailable: no decoder could be started; the picture was not judged.
            RuntimeError: the pool was not entered, or was left.
        """
        if self._is_closed:
            raise RuntimeError("the pool is not open")
        if len(data) > self._limits.bytes_max:
            raise UnprocessableMedia(Reason.TOO_MANY_BYTES, f"{len(data)} bytes")
        decoder = await self._idle.get()
        try:
            answer = await _judged(decoder, framed(Request(kind, data)))
        finally:
            self._idle.put_nowait(decoder)
        if isinstance(answer, Refused):
            raise UnprocessableMedia(answer.reason, answer.diagnosis)
        return answer

    @property
    def pids(self) -> tuple[int, ...]:
        """The numbers of the processes that run now."""
        return tuple(decoder.pid for decoder in self._decoders if decoder.pid is not None)

    async def _kill_all(self) -> None:
        await asyncio.gather(*(decoder.kill() for decoder in self._decoders))


async def _judged(decoder: DecoderProcess, request: bytes) -> Made | Refused:
    """Ask, and ask a fresh process if the first crashed, as an earlier picture or a lack of memory may be the cause."""
    await decoder.prepare()
    try:
        return await decoder.ask(request)
    except DecoderDied as death:
        if death.reason is not Reason.DECODER_CRASHED:
            return Refused(death.reason, str(death))
    await decoder.prepare()
    try:
        return await decoder.ask(request)
    except DecoderDied as death:
        return Refused(death.reason, str(death))
