"""A rate at which something may be done, as a token bucket: a burst, refilled evenly. Integers only.

A bucket is one number, its *debt*: the microseconds until it is full again. A full one owes nothing and need not be
stored; taking a token adds the time that one takes to come back; no more can be owed than the whole bucket's time. It
is the generic cell rate algorithm (ITU-T I.371, annex A) told from the bucket's side.
"""

import re
from dataclasses import dataclass, field
from typing import Any

QUOTA_MAX = 1_000_000
WINDOW_SECONDS_MAX = 86_400
_FORM = re.compile(r"(?P<quota>[0-9]{1,7})/(?P<window>[0-9]{1,5})")
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in so many seconds: a bucket of `quota` tokens that takes `window_seconds` to fill.

    Any period of `t` seconds lets through at most `quota + quota * t / window_seconds`.

    Args:
        quota: tokens of a full bucket, 1 to `QUOTA_MAX`.
        window_seconds: in which an empty bucket fills, 1 to `WINDOW_SECONDS_MAX`.
        token_us: microseconds in which one token comes back, rounded up.
        debt_us_max: what an empty bucket owes.

    Raises:
        ValueError: a figure is out of its bounds.
    """

    quota: int
    window_seconds: int
    token_us: int = field(init=False)
    debt_us_max: int = field(init=False)

    def __post_init__(self) -> None:
        if not 1 <= self.quota <= QUOTA_MAX or not 1 <= self.window_seconds <= WINDOW_SECONDS_MAX:
            raise ValueError(f"must be 1 to {QUOTA_MAX} in 1 to {WINDOW_SECONDS_MAX} seconds")
        token_us = -(-self.window_seconds * _MICROSECONDS // self.quota)
        object.__setattr__(self, "token_us", token_us)
        object.__setattr__(self, "debt_us_max", token_us * self.quota)

    def __str__(self) -> str:
        return f"{self.quota}/{self.window_seconds}"

    def left(self, debt_us: int) -> int:
        """Whole tokens in a bucket that owes this much."""
        return (self.debt_us_max - debt_us) // self.token_us

    def wait_seconds(self, debt_us: int) -> int:
        """Seconds, rounded up, until a bucket that owes this much holds a token; 0 where it does."""
        return max(0, -(-(debt_us + self.token_us - self.debt_us_max) // _MICROSECONDS))


def parse_rate(value: Any) -> Any:
    """A rate from its form in the settings, such as `600/60`: six hundred in a minute.

    Raises:
        ValueError: it is no rate.
    """
    if not isinstance(value, str):
        return value
    found = _FORM.fullmatch(value)
    if found is None:
        raise ValueError("must be a number and a period in seconds, such as 600/60")
    return Rate(int(found["quota"]), int(found["window"]))
