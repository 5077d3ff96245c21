"""How long an upload may be by what it is for."""

from schemas.events import Purpose
from transcode.footage import SECONDS_OVER

SECONDS_MAX: dict[Purpose, float] = {"post": 60.0, "reel": 90.0, "story": 15.0}
"""Of a video."""


def may_last(purpose: Purpose, seconds: float) -> bool:
    """Whether what was taken once may be so long for what it is for now. All voice notes have one limit."""
    return purpose == "voice" or seconds <= SECONDS_MAX[purpose] + SECONDS_OVER
