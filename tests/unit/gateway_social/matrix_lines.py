"""What a line of a visibility matrix says, whatever it is a matrix of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Table = Mapping[str, str]
"""For each kind of target the outcomes, one letter for each viewer."""


@dataclass(frozen=True, slots=True)
class Line:
    """What an endpoint does with each kind of target.

    Args:
        table: for each target the outcomes, one for each viewer.
        body: what is sent; `{name}` stands for an id of the target.
        mark: what is looked for in the answer, where a table says what is shown.
    """

    table: Table
    body: Any = None
    mark: str = "{id}"


ALONE = Line({})
"""An endpoint that names nobody and nothing: it shows or changes what is the caller's own."""
NOBODY = Line({})
"""A list in which nobody else and nothing of anybody else's can be."""
