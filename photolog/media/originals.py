"""Where uploads lie as they came, and for how long one may be unfinished."""

import re

UNFINISHED_MS_MAX = 24 * 3_600_000
"""After so long an upload that was not completed is over, and its parts are freed."""
RAW = "raw/"
_KEY = re.compile(rf"{RAW}[1-9][0-9]{{0,18}}/([1-9][0-9]{{0,18}})")


def raw_key(owner_id: int, media_id: int) -> str:
    """Where an upload lies, under its owner."""
    return f"{RAW}{owner_id}/{media_id}"


def media_of(key: str) -> int | None:
    """The media id of what lies at a key; None where it is no upload's."""
    found = _KEY.fullmatch(key)
    return int(found[1]) if found else None
