"""`photolog transcode-worker`: makes what is made of photographs, videos, voice notes; start one for each machine."""

import asyncio
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated

import typer

from cli.foreground import run_in_foreground
from photolog.engines.object_store import ObjectStore
from photolog.library_logs import quieten
from photolog.log.producer import LogProducer
from photolog.settings import Settings, load_settings
from photolog.telemetry import configure_logging
from schemas.registry import load_serde
from schemas.serde import Serde
from transcode.abandoned import AbandonedUploads
from transcode.encoders import EncoderKind, Encoders
from transcode.footage import VideoLimits
from transcode.frames import SandboxLimits
from transcode.intake import Intake
from transcode.job import TranscodeJob
from transcode.recording import VoiceLimits
from transcode.sandbox import VariantPool
from transcode.video import VideoMaker
from transcode.video_job import VideoJob
from transcode.voice import VoiceMaker
from transcode.voice_job import VoiceJob
from transcode.worker import TranscodeWorker

_WAITING_MAX = 3
_BUCKET_THREADS = 24


def transcode_worker(
    decoders: Annotated[
        int | None, typer.Option(help="Photographs decoded at once; as many as there are cores if not given.", min=1)
    ] = None,
) -> None:
    """Make the variants of uploaded photographs, videos and voice notes, in the foreground; free abandoned uploads.

    SIGTERM lets it finish the photographs that it began; a video is begun anew by the next worker. Ending it in any way
    loses nothing.
    """
    settings = load_settings()
    configure_logging(settings.log_level, "transcode-worker")
    quieten("botocore", "httpx", "librdkafka", "urllib3")
    asyncio.run(run_in_foreground(settings, _connect, partial(_work, settings, decoders or os.cpu_count() or 1)))


@asynccontextmanager
async def _connect(settings: Settings) -> AsyncIterator[tuple[LogProducer, Serde]]:
    # Reading and writing the bucket waits in threads; the default is too few for six variants a photograph.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_BUCKET_THREADS, "bucket"))
    log = LogProducer(settings.kafka)
    await log.start()
    yield log, await asyncio.to_thread(load_serde, settings.registry)
    await log.close()


async def _work(
    settings: Settings,
    decoders: int,
    connected: tuple[LogProducer, Serde],
    stop: asyncio.Event,
    ready: asyncio.Event,
) -> None:
    log, serde = connected
    maker = VideoMaker(video_limits(settings), video_encoders(settings), settings.transcode.videos_at_once)
    await maker.check()
    voices = VoiceMaker(voice_limits(settings), decoders)
    await voices.check()
    limits = SandboxLimits(bytes_max=settings.limits.photo_bytes_max, pixels_max=settings.limits.photo_pixels_max)
    async with VariantPool(decoders, limits) as pool:
        objects = ObjectStore(settings.s3)
        job = TranscodeJob(objects, pool, VideoJob(objects, maker), VoiceJob(objects, voices), limits.bytes_max)
        # Some wait for a decoder, as some are being fetched and stored.
        worker = TranscodeWorker(Intake(settings.kafka), job, serde, log, 2 * decoders + _WAITING_MAX)
        async with asyncio.TaskGroup() as group:
            sweeping = group.create_task(AbandonedUploads(objects).run())
            await worker.run(stop, ready)
            sweeping.cancel()


def video_limits(settings: Settings) -> VideoLimits:
    """What one video may cost, by the settings."""
    return VideoLimits(
        bytes_max=settings.limits.video_bytes_max,
        pixels_max=settings.limits.video_pixels_max,
        frames_max=settings.limits.video_frames_max,
        memory_bytes_max=settings.transcode.video_memory_bytes,
        wall_seconds_max=settings.transcode.video_seconds_max,
        threads=settings.transcode.video_threads,
    )


def voice_limits(settings: Settings) -> VoiceLimits:
    """What one voice note may cost, by the settings."""
    return VoiceLimits(bytes_max=settings.limits.voice_bytes_max, seconds_max=settings.limits.voice_seconds_max)


def video_encoders(settings: Settings) -> Encoders:
    """What encodes pictures, by the settings."""
    chosen = settings.transcode
    return Encoders(EncoderKind(chosen.video_encoder), chosen.h264_preset, chosen.av1_preset)
