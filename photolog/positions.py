"""Positions: where in the log a write landed, and how far a read model has come.

On the wire (`Photolog-Position`) a position is `topic/partition@offset`, several joined by commas. An offset is that
of the record itself; a model covers it once its next offset is greater.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from photolog.errors import Invalid

HEADER = "Photolog-Position"
POSITIONS_MAX = 16
_OFFSET_MAX = (1 << 63) - 1
_FORM = re.compile(r"([a-z][a-z0-9._-]{0,63})/([0-9]{1,5})@([0-9]{1,19})")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """One record's place in the log."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}@{self.offset}"


def format_positions(positions: Iterable[Position]) -> str:
    """The header form, the newest offset of each partition only."""
    newest: dict[tuple[str, int], Position] = {}
    for position in sorted(positions):
        newest[position.topic, position.partition] = position
    return ",".join(str(position) for position in newest.values())


def parse_positions(header: str) -> tuple[Position, ...]:
    """Read the header form.

    Raises:
        Invalid: it is malformed or names more than `POSITIONS_MAX` positions.
    """
    parts = [part.strip() for part in header.split(",") if part.strip()]
    if len(parts) > POSITIONS_MAX:
        raise Invalid("malformed-position", f"at most {POSITIONS_MAX} positions", HEADER)
    found = []
    for part in parts:
        match = _FORM.fullmatch(part)
        if not match or int(match[3]) > _OFFSET_MAX:
            raise Invalid("malformed-position", "a position looks like topic/partition@offset", HEADER)
        found.append(Position(match[1], int(match[2]), int(match[3])))
    return tuple(found)
