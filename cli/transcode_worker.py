"""`photolog transcode-worker`: makes what is made of photographs, videos, voice notes; start one for each machine."""

import asyncio
import os
from functools import partial
from typing import Annotated

import typer

from cli.foreground import run_in_foreground
from photolog.library_logs import quieten
from photolog.settings import Settings, load_settings
from photolog.telemetry import configure_logging
from transcode.bootstrap import TranscodeResources, connect
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


def transcode_worker(
    decoders: Annotated[
        int | None, typer.Option(help="Photographs decoded at once; as many as there are cores if not given.", min=1)
    ] = None,
) -> None:
    """Make the variants of uploaded photographs, videos and voice notes, in the foreground.

    SIGTERM lets it finish the photographs that it began; a video is begun anew by the next worker. Ending it in any way
    loses nothing.
    """
    settings = load_settings()
    configure_logging(settings.log_level, "transcode-worker")
    quieten("botocore", "httpx", "librdkafka", "urllib3")
    asyncio.run(run_in_foreground(settings, connect, partial(_work, settings, decoders or os.cpu_count() or 1)))


async def _work(
    settings: Settings, decoders: int, resources: TranscodeResources, stop: asyncio.Event, ready: asyncio.Event
) -> None:
    maker = VideoMaker(video_limits(settings), video_encoders(settings), settings.transcode.videos_at_once)
    await maker.check()
    voices = VoiceMaker(voice_limits(settings), decoders)
    await voices.check()
    limits = SandboxLimits(bytes_max=settings.limits.photo_bytes_max, pixels_max=settings.limits.photo_pixels_max)
    async with VariantPool(decoders, limits) as pool:
        objects, sharing = resources.objects, resources.sharing
        videos, notes = VideoJob(objects, maker, sharing, resources.near), VoiceJob(objects, voices, sharing)
        job = TranscodeJob(objects, pool, videos, notes, sharing, resources.near, resources.rows, limits.bytes_max)
        # Some wait for a decoder, as some are being fetched and stored.
        at_once = 2 * decoders + _WAITING_MAX
        worker = TranscodeWorker(
            Intake(settings.kafka),
            job,
            resources.serde,
            resources.log,
            at_once,
            moderated=settings.moderation.required,
        )
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(run()) for run in resources.upkeep]
            await worker.run(stop, ready)
            for task in beside:
                task.cancel()


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
