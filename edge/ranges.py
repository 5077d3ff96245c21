"""Which part of a file is asked for (RFC 9110 §14). One range is given; of several, or a malformed one, the file whole,
as the RFC allows."""

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes\s*=\s*([0-9]{0,15})-([0-9]{0,15})")


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `start` up to, and without, `end`, of a file of `size_bytes`."""

    start: int
    end: int
    size_bytes: int

    @property
    def content_range(self) -> str:
        """As the answer's header has it."""
        return f"bytes {self.start}-{self.end - 1}/{self.size_bytes}"


class NotSatisfiable(Exception):
    """No byte of the file is in the range."""


def wanted_part(header: str | None, if_range: str | None, size_bytes: int, etag: str) -> Part | None:
    """The part that a request wants; None for the whole file.

    Args:
        header: its Range.
        if_range: its If-Range. Files have no dates here, so only the file's own ETag lets a range be given.
        size_bytes: of the file.
        etag: of the file, with its quotes.

    Raises:
        NotSatisfiable: as it says.
    """
    asked = _RANGE.fullmatch((header or "").strip().lower())
    if asked is None or (if_range is not None and if_range.strip() != etag):
        return None
    first, last = asked.groups()
    if first:
        start = int(first)
        if last and int(last) < start:
            return None
        end = min(int(last) + 1, size_bytes) if last else size_bytes
    elif last:
        start, end = max(0, size_bytes - int(last)), size_bytes
    else:
        return None
    if start >= end:
        raise NotSatisfiable
    return Part(start, end, size_bytes)
