"""Where uploads, and what is made of them, lie in the bucket, and for how long one may be unfinished."""

import re

UNFINISHED_MS_MAX = 24 * 3_600_000
"""After so long an upload that was not completed is over, and its parts are freed."""
RAW = "raw/"
ORIGINALS = "originals/"
PROCESSED = "processed/"
_KEY = re.compile(rf"{RAW}[1-9][0-9]{{0,18}}/([1-9][0-9]{{0,18}})")


def raw_key(owner_id: int, media_id: int) -> str:
    """Where an upload lies, under its owner."""
    return f"{RAW}{owner_id}/{media_id}"


def media_of(key: str) -> int | None:
    """The media id of what lies at a key; None where it is no upload's."""
    found = _KEY.fullmatch(key)
    return int(found[1]) if found else None


def original_key(content_id: int) -> str:
    """Where the original of a content lies, which is nobody's own."""
    return f"{ORIGINALS}{content_id}"


def content_prefix(content_id: int) -> str:
    """Where everything lies that was made of a content."""
    return f"{PROCESSED}{content_id}/"
