"""The perceptual hash of a 12-megapixel photograph's file: ours against imagehash as it comes."""

import io
import time
from collections.abc import Callable

import imagehash
import pyvips
from PIL import Image

from benchmarks.photograph import photograph as make_photograph
from benchmarks.result import Result, paired
from transcode.fingerprints.phash import distance, phash_of_image

_PICTURES = 6
_WIDTH, _HEIGHT = 4_000, 3_000
_FAR_BITS_MAX = 2
# Wide enough for 32 lumas across, and small enough for libjpeg to decode an eighth of the rows and columns.
_SHRUNK_PX = 250


def run(rounds: int = 5) -> list[Result]:
    """Hashes a second from the bytes of a file, one thread each; the hashes of both are compared first.

    In a worker the hash costs still less than here, as the photograph is decoded for its variants anyway.
    """
    photograph = make_photograph(_WIDTH, _HEIGHT)
    pyvips.cache_set_max(0)
    pyvips.concurrency_set(1)
    apart = distance(_ours(photograph), _theirs(photograph))
    if apart > _FAR_BITS_MAX:
        raise AssertionError(f"the hashes differ in {apart} bits")
    return [
        paired(
            "pHash of a 12 MP picture",
            "pictures/s",
            lambda: _rate(lambda: _ours(photograph)),
            lambda: _rate(lambda: _theirs(photograph)),
            opponent_name="imagehash.phash",
            aim=2.0,
            rounds=rounds,
            note=f"from the file; the two hashes differ in {apart} of 64 bits",
        )
    ]


def _ours(data: bytes) -> int:
    return phash_of_image(pyvips.Image.thumbnail_buffer(data, _SHRUNK_PX))


def _theirs(data: bytes) -> int:
    with Image.open(io.BytesIO(data)) as picture:
        return int(str(imagehash.phash(picture)), 16)


def _rate(once: Callable[[], int]) -> float:
    started = time.perf_counter()
    for _ in range(_PICTURES):
        once()
    return _PICTURES / (time.perf_counter() - started)
