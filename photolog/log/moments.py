"""Times as people give them to a command: an instant in ISO 8601, or how long ago it was."""

import re
from datetime import UTC, datetime

from photolog.errors import Invalid

_DURATION = re.compile(r"([0-9]{1,9})(s|m|h|d|w)")
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def parse_moment(text: str, now_ms: int, option: str) -> int:
    """The instant that a text means, in Unix milliseconds.

    Args:
        text: `2026-11-30`, `2026-11-30T10:15:00Z` or the like, in UTC where it names no offset; or a duration such as
            `45s`, `30m`, `2h`, `7d`, `1w`, which is so long before now.
        now_ms: what "now" is, Unix milliseconds.
        option: what the text was given for; the error names it.

    Raises:
        Invalid: the text is neither, or means an instant before 1970.
    """
    duration = _DURATION.fullmatch(text.strip())
    moment_ms = now_ms - int(duration[1]) * _UNIT_MS[duration[2]] if duration else _instant_ms(text.strip(), option)
    if moment_ms < 0:
        raise Invalid("malformed-time", f"{text!r} is before 1970", option)
    return moment_ms


def _instant_ms(text: str, option: str) -> int:
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=UTC)
        return int(instant.timestamp() * 1_000)
    except (ValueError, OverflowError) as error:
        raise Invalid(
            "malformed-time",
            f"{text!r} is no time: give ISO 8601, such as 2026-11-30T10:15:00Z, or how long ago, such as 30m or 7d",
            option,
        ) from error
