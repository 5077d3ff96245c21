"""What the sandbox costs a photograph: the pool of guarded processes against the very same decode in this process."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pyvips

from benchmarks.photograph import photograph as make_photograph
from benchmarks.result import Result, paired
from transcode.frames import SandboxLimits
from transcode.plan import Made
from transcode.sandbox import VariantPool
from transcode.sniff import PhotoType
from transcode.variants import make_variants

_SIZES = {"12 MP": (4_000, 3_000), "1 MP": (1_280, 960)}
_PICTURES = {"12 MP": 8, "1 MP": 20}
_AIM = 0.8


def run(rounds: int = 5) -> list[Result]:
    """Pictures a second, one after the other and as many at once as there are cores.

    Both sides run `transcode.variants.make_variants` over the same bytes, prints included, and hold all that comes out;
    the opponent has no other process, no pipe and no limit. What both make is compared first.
    """
    # One thread for a picture on either side, and nothing remembered, as in the pool.
    pyvips.concurrency_set(1)
    pyvips.cache_set_max(0)
    cores = os.cpu_count() or 1
    return [_compared(name, at_once, rounds) for name in _SIZES for at_once in dict.fromkeys((1, cores))]


def _compared(name: str, at_once: int, rounds: int) -> Result:
    data, pictures = make_photograph(*_SIZES[name]), _PICTURES[name]
    with _pool(at_once) as sandboxed, ThreadPoolExecutor(at_once) as threads:
        here = partial(_made_here, threads, data)
        if sandboxed(data, 1) != here(1):
            raise AssertionError("the sandbox makes other files than this process")
        how = "one after the other" if at_once == 1 else f"{at_once} at once"
        result = paired(
            f"sandbox, {name} picture, {how}",
            "pictures/s",
            lambda: _rate(partial(sandboxed, data), pictures),
            lambda: _rate(here, pictures),
            opponent_name="the same decode in this process",
            aim=_AIM if at_once > 1 else None,
            rounds=rounds,
        )
    whole_ms = 1_000 / result.ours
    cost_ms = whole_ms * (1 - result.ratio)
    return replace(result, note=f"{whole_ms:.0f} ms a picture, of which the sandbox costs {cost_ms:.0f}")


def _rate(make: Callable[[int], list[Made]], pictures: int) -> float:
    started = time.perf_counter()
    make(pictures)
    return pictures / (time.perf_counter() - started)


@contextmanager
def _pool(processes: int) -> Iterator[Callable[[bytes, int], list[Made]]]:
    """The pool, and what has it make so many pictures."""
    with asyncio.Runner() as runner:
        pool = runner.run(VariantPool(processes).__aenter__())

        async def made(data: bytes, pictures: int) -> list[Made]:
            return list(await asyncio.gather(*(pool.make(data, PhotoType.JPEG) for _ in range(pictures))))

        try:
            yield lambda data, pictures: runner.run(made(data, pictures))
        finally:
            runner.run(pool.__aexit__(None, None, None))


def _made_here(threads: ThreadPoolExecutor, data: bytes, pictures: int) -> list[Made]:
    pixels_max = SandboxLimits().pixels_max
    return list(threads.map(lambda _: make_variants(data, PhotoType.JPEG, pixels_max), range(pictures)))
