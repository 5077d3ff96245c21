"""Seven variants of a 12-megapixel photograph: the sandboxed pool against bare libvips, a process for each core."""

import asyncio
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import pyvips

from benchmarks.photograph import photograph as make_photograph
from benchmarks.result import Result, paired
from transcode.sandbox import VariantPool
from transcode.sniff import PhotoType

_PICTURES = 24
_WIDTH, _HEIGHT = 4_000, 3_000


def run(rounds: int = 5) -> list[Result]:
    """Pictures a second, every process busy all the time.

    The opponent decodes once like ours, holds the photograph already, and keeps the files to itself: what is compared
    is the price of pipes, checks and limits. The files of both are compared first, byte for byte.
    """
    photograph = make_photograph(_WIDTH, _HEIGHT)
    processes = os.cpu_count() or 1
    with asyncio.Runner() as runner, _bare(photograph, processes) as bare:
        pool = runner.run(VariantPool(processes).__aenter__())
        try:
            made = runner.run(pool.make(photograph, PhotoType.JPEG))
            if [data for _, data in made.variants] != bare.submit(_bare_variants).result():
                raise AssertionError("the opponent makes other files than ours")
            return [
                paired(
                    "variants of a 12 MP picture",
                    "pictures/s",
                    lambda: runner.run(_sandboxed_rate(pool, photograph)),
                    lambda: _bare_rate(bare),
                    opponent_name="bare libvips",
                    aim=0.8,
                    rounds=rounds,
                    note=f"{processes} processes each; the opponent has no sandbox, takes no prints and moves no bytes",
                )
            ]
        finally:
            runner.run(pool.__aexit__(None, None, None))


async def _sandboxed_rate(pool: VariantPool, photograph: bytes) -> float:
    started = time.perf_counter()
    await asyncio.gather(*(pool.make(photograph, PhotoType.JPEG) for _ in range(_PICTURES)))
    return _PICTURES / (time.perf_counter() - started)


def _bare_rate(bare: ProcessPoolExecutor) -> float:
    started = time.perf_counter()
    for future in [bare.submit(_bare_count) for _ in range(_PICTURES)]:
        future.result()
    return _PICTURES / (time.perf_counter() - started)


@contextmanager
def _bare(photograph: bytes, processes: int) -> Iterator[ProcessPoolExecutor]:
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_hold, initargs=(photograph,)) as executor:
        yield executor


_held = b""


def _hold(photograph: bytes) -> None:
    global _held
    _held = photograph
    # One thread a process is the fastest for it too, as every core has a process.
    pyvips.concurrency_set(1)
    pyvips.cache_set_max(0)


def _bare_count() -> int:
    return len(_bare_variants())


def _bare_variants() -> list[bytes]:
    image = pyvips.Image.thumbnail_buffer(
        _held, 2048, height=1536, size="force", option_string="[fail_on=error]"
    ).copy_memory()
    files = [image.jpegsave_buffer(Q=90, keep="none")]
    for width, height in ((1080, 810), (640, 480), (320, 240)):
        if width != image.width:
            image = image.thumbnail_image(width, height=height, size="force").copy_memory()
        files.append(image.jpegsave_buffer(Q=85, interlace=True, keep="none"))
        files.append(image.webpsave_buffer(Q=80, effort=2, keep="none"))
    return files
