"""Fingerprints within nine bits of one that is looked for, among ten million: our index against a scan with NumPy."""

import time
from collections.abc import Callable, Sequence

import faiss
import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.result import Result, paired
from transcode.fingerprints.nearest import NearestIndex
from transcode.fingerprints.phash import NEAR_BITS

_COUNT = 10_000_000
_LOOKED_FOR = 20
_CHECKED = 60


def run(rounds: int = 5) -> list[Result]:
    """Look-ups a second, one after the other, one thread each. That both find the same is checked first.

    Half of what is looked for has up to nine bits of a fingerprint that is there changed, half is anything.
    """
    faiss.omp_set_num_threads(1)
    random = np.random.default_rng(11)
    fingerprints = random.integers(0, 2**64, _COUNT, dtype=np.uint64)
    before_mb = _resident_mb()
    index = NearestIndex.of_arrays(np.arange(_COUNT, dtype=np.int64), fingerprints)
    grown_mb = _resident_mb() - before_mb
    questions = _questions(random, fingerprints)
    found = sum(_checked(index, fingerprints, question) for question in questions[:_CHECKED])
    return [
        paired(
            "near-duplicates among 10^7",
            "look-ups/s",
            lambda: _rate(index.near, questions[:_LOOKED_FOR]),
            lambda: _rate(lambda question: _scan(fingerprints, question), questions[:_LOOKED_FOR]),
            opponent_name="NumPy XOR and popcount",
            aim=5.0,
            rounds=rounds,
            note=f"recall 1.0: {found} of {found} found in {_CHECKED} look-ups; {grown_mb} MB",
        )
    ]


def _questions(random: np.random.Generator, fingerprints: NDArray[np.uint64]) -> list[int]:
    questions = []
    for number in range(_CHECKED):
        there = int(fingerprints[random.integers(_COUNT)])
        flips = sum(1 << int(bit) for bit in random.choice(64, number % NEAR_BITS, replace=False))
        questions += [there ^ flips, int(random.integers(0, 2**64, dtype=np.uint64))]
    return questions


def _checked(index: NearestIndex, fingerprints: NDArray[np.uint64], question: int) -> int:
    ours = sorted(one.content_id for one in index.near(question))
    if ours != _scan(fingerprints, question).tolist():
        raise AssertionError(f"{question:016x}: the index finds something else than the scan")
    return len(ours)


def _scan(fingerprints: NDArray[np.uint64], question: int) -> NDArray[np.int64]:
    return np.flatnonzero(np.bitwise_count(fingerprints ^ np.uint64(question)) < NEAR_BITS)


def _rate(look_up: Callable[[int], object], questions: Sequence[int]) -> float:
    started = time.perf_counter()
    for question in questions:
        look_up(question)
    return len(questions) / (time.perf_counter() - started)


def _resident_mb() -> int:
    return psutil.Process().memory_info().rss // 1_000_000
