"""How a voice note looks: a hundred peaks, drawn from its samples. Pure."""

from collections.abc import Sequence

import msgspec
import numpy as np

PEAKS = 100
PEAK_MAX = 100


class Waveform(msgspec.Struct, frozen=True):
    """What `waveform.json` holds.

    Args:
        duration_ms: of the whole.
        peaks: the loudest of each hundredth of it, from 0 (silence) to 100 (the loudest of all).
    """

    duration_ms: int
    peaks: Sequence[int]


def waveform(samples: bytes, hz: int) -> Waveform:
    """The waveform of samples of 16 bits, the low byte first; those that are too few for a peak each leave silence."""
    # One bit more, because the lowest sample has no counterpart among the positive ones.
    heights = np.abs(np.frombuffer(samples, "<i2").astype(np.int32))
    loudest = [int(part.max()) if part.size else 0 for part in np.array_split(heights, PEAKS)]
    most = max(*loudest, 1)
    return Waveform(round(heights.size * 1_000 / hz), [round(PEAK_MAX * peak / most) for peak in loudest])
