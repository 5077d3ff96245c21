"""What a viewer saw on one day as a Bloom filter: no story that was seen is missing in it, and of those that were not
about one in a hundred is taken for seen.

There is one filter for each viewer and UTC day on which stories were published, so that it ends with the last of them.
A filter has one of a few sizes. Once it holds as many stories as its size is good for, it is given up and made anew
from the rows, in the next size: the sizes are those in which allocators give memory, at most a quarter apart, so a
filter never takes much more than the smallest one would.
"""

import math
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

DAY_MS = 86_400_000
STORY_MS_MAX = DAY_MS
"""How long a story is there at most."""
HASHES = 7
BITS_PER_STORY = 9.65
"""With seven bits for each story a filter of these errs in (1 - e^(-7 / 9.65))^7, 0.98 %, of its answers."""
HEAD = struct.Struct(">cI")
"""What stands before the bits: "!", and how many stories are in them."""
FILLED = b"!"
_STRING_BYTES = 8  # what Redis adds to a string of this length before it asks for memory
_CLASS_BYTES_MIN, _CLASS_BYTES_MAX = 128, 16_384
_U64 = np.uint64
Numbers = npt.NDArray[np.uint64]


def _sizes() -> tuple[int, ...]:
    """Lengths of filters: the size classes of jemalloc, four between one power of two and the next, less what is
    Redis's own (jemalloc.net, "size classes")."""
    classes = []
    power = _CLASS_BYTES_MIN
    while power < _CLASS_BYTES_MAX:
        classes += [power + quarter * power // 4 for quarter in range(4)]
        power *= 2
    return tuple(size - _STRING_BYTES for size in [*classes, _CLASS_BYTES_MAX])


SIZES_BYTES = _sizes()
STORIES_READ_MAX = 20_000
"""How many of a day's rows a filter is made from. The largest size is good for 13,571; with 20,000 it errs in 5 % of
its answers, and grows no more."""


def day_of(published_ms: int) -> int:
    """The UTC day of a moment (Unix ms), counted from 1970."""
    return published_ms // DAY_MS


def day_ends_ms(day: int) -> int:
    """When the last story of a day has ended, Unix ms."""
    return (day + 1) * DAY_MS + STORY_MS_MAX


def capacity_of(size_bytes: int) -> int:
    """How many stories a filter of this length is good for."""
    return math.floor(_bits_of(size_bytes) / BITS_PER_STORY)


def size_for(stories: int) -> int:
    """The length of a filter that is good for so many stories, or the largest."""
    return next((size for size in SIZES_BYTES if capacity_of(size) >= stories), SIZES_BYTES[-1])


def hashes_of(viewer_id: int, story_ids: Sequence[int]) -> Numbers:
    """Two numbers of 32 bits for each story, from which the places of its bits follow.

    They are the halves of splitmix64 (Steele, Lea and Flood, 2014) of story and viewer, so that one viewer's error is
    not another's.

    Returns:
        An array of shape (stories, 2).
    """
    salt = _mixed(np.array([viewer_id], dtype=_U64))
    mixed = _mixed(np.array(story_ids, dtype=_U64) ^ salt)
    return np.stack((mixed & _U64(0xFFFFFFFF), (mixed >> _U64(32)) | _U64(1)), axis=1)


def made_filter(viewer_id: int, story_ids: Sequence[int]) -> bytes:
    """A filter of these stories, each named once, with room for one more."""
    size_bytes = size_for(len(story_ids) + 1)
    bits = np.zeros(_bits_of(size_bytes), dtype=np.uint8)
    bits[_places(hashes_of(viewer_id, story_ids), size_bytes).ravel()] = 1
    return HEAD.pack(FILLED, len(story_ids)) + np.packbits(bits).tobytes()


def seen_in(held: bytes, viewer_id: int, story_ids: Sequence[int]) -> npt.NDArray[np.bool_]:
    """For each story whether a filter takes it for seen."""
    places = _places(hashes_of(viewer_id, story_ids), len(held))
    octets = np.frombuffer(held, dtype=np.uint8, offset=HEAD.size)
    found = (octets[places >> _U64(3)] >> (_U64(7) - (places & _U64(7))).astype(np.uint8)) & 1
    answer: npt.NDArray[np.bool_] = found.all(axis=1)
    return answer


def _places(hashes: Numbers, size_bytes: int) -> Any:
    """The bits of each story: two hashes stand for any number of them (Kirsch and Mitzenmacher, 2006)."""
    first, step = hashes[:, :1], hashes[:, 1:]
    return (first + step * np.arange(HASHES, dtype=_U64)) % _U64(_bits_of(size_bytes))


def _bits_of(size_bytes: int) -> int:
    return (size_bytes - HEAD.size) * 8


def _mixed(numbers: Numbers) -> Numbers:
    with np.errstate(over="ignore"):
        z = numbers + _U64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> _U64(30))) * _U64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> _U64(27))) * _U64(0x94D049BB133111EB)
    mixed: Numbers = z ^ (z >> _U64(31))
    return mixed
