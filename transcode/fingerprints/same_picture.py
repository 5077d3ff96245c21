"""Whether two thumbprints are of the same photograph, encoded or scaled again, or of two that only look alike.

A mean over the picture would let a caption pass, so that each test asks for the worst place, and any one of them can
tell the pictures apart. When in doubt they are different: that costs a few files, and the other mistake would show
somebody another's picture. The limits and how far real photographs stay from them: docs/adr/0032.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transcode.fingerprints.thumbprint import Thumbprint

Plane = NDArray[np.float64]

_MIDDLE = 128
_CHROMA_STEP = 2  # a stored step of colour is two of the photograph's
_BINOMIAL = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
# What encoders do grows with the detail of a place, so that as much may differ there and less where all is smooth.
_ALLOWED, _ALLOWED_BY_CONTRAST = 4.0, 0.25
_CONTRAST_REACH = 2
_LUMA_BLOCK_PX, _CHROMA_BLOCK_PX = 8, 4
# Keeps the estimate of a motion near none where there is nothing to see it by.
_MOTION_DAMPING = np.array([1, 0.1, 0.1, 1, 0.1, 0.1, 1, 0]) * 0.05


@dataclass(frozen=True, slots=True)
class Difference:
    """How two thumbprints differ, each as the worst place has it.

    Args:
        shape: pixels that a side is off from where the other picture's shape would have it.
        place: levels of luma, over those that encoders may add where there is so much detail.
        level: levels of luma after a blur.
        block: levels of luma, mean of an eighth of a side squared … of 8 × 8.
        tone: levels of luma, mean of all.
        gain: relative contrast.
        motion: the farthest that any corner moved, in percent of a side.
        colour: levels of chroma after a blur.
        tint: levels of chroma, mean of 4 × 4.
    """

    shape: float
    place: float
    level: float
    block: float
    tone: float
    gain: float
    motion: float
    colour: float
    tint: float


LIMITS = Difference(
    shape=1.0, place=0.85, level=7.5, block=3.0, tone=1.2, gain=0.016, motion=0.12, colour=7.0, tint=5.0
)
"""What encoding and scaling again may do. Beyond any of them the pictures are different."""

_NAMES = tuple(field.name for field in fields(Difference))


def same_picture(one: Thumbprint, other: Thumbprint) -> bool:
    """Whether two thumbprints are of the same photograph. The order of the two does not matter."""
    found = difference(one, other)
    return all(getattr(found, name) <= getattr(LIMITS, name) for name in _NAMES)


def difference(one: Thumbprint, other: Thumbprint) -> Difference:
    """How two thumbprints differ."""
    before, after = one.luma.astype(np.float64), other.luma.astype(np.float64)
    blurred = _blurred(before), _blurred(after)
    change = blurred[1] - blurred[0]
    # Of the calmer of the two: what was laid over a picture brings its own contrast.
    detail = np.minimum(_contrast(before), _contrast(after))
    motion, gain = _motion_and_gain(*blurred)
    colours = [_chroma(theirs) - _chroma(ours) for ours, theirs in ((one.blue, other.blue), (one.red, other.red))]
    return Difference(
        shape=_off_shape(one, other),
        place=float(np.max(np.abs(change) / (_ALLOWED + _ALLOWED_BY_CONTRAST * detail))),
        level=float(np.max(np.abs(change))),
        block=_worst_block(after - before, _LUMA_BLOCK_PX),
        tone=float(abs(np.mean(after - before))),
        gain=gain,
        motion=motion,
        colour=max(float(np.max(np.abs(_blurred(colour)))) for colour in colours),
        tint=max(_worst_block(colour, _CHROMA_BLOCK_PX) for colour in colours),
    )


def _off_shape(one: Thumbprint, other: Thumbprint) -> float:
    """A picture that was scaled has whole pixels, so that its shorter side is off by less than one."""
    small, large = sorted((one, other), key=lambda picture: picture.width * picture.height)
    return min(
        abs(small.height - large.height * small.width / large.width),
        abs(small.width - large.width * small.height / large.height),
    )


def _motion_and_gain(before: Plane, after: Plane) -> tuple[float, float]:
    """How far a corner, an edge's middle or the centre moved, in percent of a side, and how contrast changed.

    Least squares over all pixels for an affine motion with a gain and an offset, linear in the gradient (Lucas and
    Kanade, 1981): it sees a fraction of a pixel, which a shot taken right after another never fails to have.
    """
    side = len(before)
    down, across = np.mgrid[0:side, 0:side] / (side - 1) - 0.5
    middle = (before + after) / 2
    down_slope, across_slope = (np.asarray(slope) for slope in np.gradient(middle))
    causes = [slope * by for slope in (across_slope, down_slope) for by in (1.0, across, down)]
    matrix = np.stack([*causes, middle - middle.mean(), np.ones_like(middle)], axis=-1).reshape(-1, 8)
    normal = matrix.T @ matrix + np.diag(_MOTION_DAMPING * side * side)
    found = np.linalg.solve(normal, matrix.T @ (after - before).ravel())
    points = np.array([(1, x, y) for x in (-0.5, 0, 0.5) for y in (-0.5, 0, 0.5)])
    moved = np.hypot(points @ found[:3], points @ found[3:6])
    return float(moved.max()) / side * 100, float(abs(found[6]))


def _worst_block(values: Plane, block_px: int) -> float:
    blocks = len(values) // block_px
    means = values.reshape(blocks, block_px, blocks, block_px).mean(axis=(1, 3))
    return float(np.max(np.abs(means)))


def _chroma(stored: NDArray[np.uint8]) -> Plane:
    return (stored.astype(np.float64) - _MIDDLE) * _CHROMA_STEP


def _blurred(values: Plane) -> Plane:
    """Each pixel with its neighbours, by a binomial window of five: about a Gaussian of one pixel."""
    return _along(_along(values, 0, _window_mean), 1, _window_mean)


def _contrast(values: Plane) -> Plane:
    """The brightest less the darkest around each pixel, in a square of five."""
    brightest = _along(_along(values, 0, np.maximum.reduce), 1, np.maximum.reduce)
    return brightest - _along(_along(values, 0, np.minimum.reduce), 1, np.minimum.reduce)


def _window_mean(shifted: list[Plane]) -> Plane:
    mean: Plane = np.tensordot(_BINOMIAL, np.stack(shifted), axes=1)
    return mean


def _along(values: Plane, axis: int, together: Any) -> Plane:
    """Five neighbours along an axis put together; the border repeats outwards."""
    reach = [(0, 0), (0, 0)]
    reach[axis] = (_CONTRAST_REACH, _CONTRAST_REACH)
    padded, side = np.pad(values, reach, mode="edge"), values.shape[axis]
    result: Plane = together([np.take(padded, range(at, at + side), axis) for at in range(2 * _CONTRAST_REACH + 1)])
    return result
