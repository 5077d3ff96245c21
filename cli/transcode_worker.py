"""`photolog transcode-worker`: makes the variants of uploaded photographs; start one for each machine."""

import asyncio
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import structlog
import typer

from photolog.engines.object_store import ObjectStore
from photolog.library_logs import quieten
from photolog.log.producer import LogProducer
from photolog.settings import Settings, load_settings
from photolog.telemetry import configure_logging, serve_metrics_when
from schemas.registry import load_serde
from transcode.frames import SandboxLimits
from transcode.intake import Intake
from transcode.job import TranscodeJob
from transcode.sandbox import VariantPool
from transcode.worker import TranscodeWorker

_WAITING_MAX = 3
_BUCKET_THREADS = 24
logger = structlog.get_logger(__name__)


def transcode_worker(
    decoders: Annotated[
        int | None, typer.Option(help="Photographs decoded at once; as many as there are cores if not given.", min=1)
    ] = None,
) -> None:
    """Make the variants of uploaded photographs, in the foreground.

    SIGTERM lets it finish the photographs that it began. Ending it in any way loses nothing.
    """
    settings = load_settings()
    configure_logging(settings.log_level, "transcode-worker")
    quieten("botocore", "httpx", "librdkafka", "urllib3")
    asyncio.run(_run(settings, decoders or os.cpu_count() or 1))


async def _run(settings: Settings, decoders: int) -> None:
    stop, ready = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    # Reading and writing the bucket waits in threads; the default is too few for six variants a photograph.
    loop.set_default_executor(ThreadPoolExecutor(_BUCKET_THREADS, "bucket"))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    serving = asyncio.create_task(serve_metrics_when(ready, settings))
    log = LogProducer(settings.kafka)
    try:
        await log.start()
        serde = await asyncio.to_thread(load_serde, settings.registry)
        limits = SandboxLimits(bytes_max=settings.limits.photo_bytes_max, pixels_max=settings.limits.photo_pixels_max)
        async with VariantPool(decoders, limits) as pool:
            job = TranscodeJob(ObjectStore(settings.s3), pool, limits.bytes_max)
            # Some wait for a decoder, as some are being fetched and stored.
            worker = TranscodeWorker(Intake(settings.kafka), job, serde, log, 2 * decoders + _WAITING_MAX)
            await worker.run(stop, ready)
        await log.close()
    # Whatever it was: a new process begins where the group's offsets are. Threads of libraries must not keep this one.
    except Exception as error:
        logger.exception("worker-ended", error=repr(error))
        sys.stderr.flush()
        os._exit(1)
    finally:
        serving.cancel()
