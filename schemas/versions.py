"""The versions of each event's schema that were ever committed, oldest first: `schemas/history/`."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import fastavro

from schemas.events import Event

HISTORY_FOLDER = Path(__file__).parent / "history"
Form = dict[str, Any]


@cache
def kept_forms(event: type[Event]) -> tuple[Form, ...]:
    """Every version of an event's schema as JSON, the first one first; version n is at n - 1."""
    folder = HISTORY_FOLDER / event.capability / event.__name__
    numbers = sorted(int(path.stem) for path in folder.glob("*.avsc"))
    return tuple(json.loads((folder / f"{number}.avsc").read_text()) for number in numbers)


def version_of(event: type[Event], text: str) -> int | None:
    """Which kept version a schema is, None where it is none of them.

    A registry may write a schema down in another way than we did, so Avro's parsing canonical form tells: the names and
    types of all fields, without what is said of them.
    """
    wanted = canonical(json.loads(text))
    numbered = enumerate(kept_forms(event), start=1)
    return max((number for number, form in numbered if canonical(form) == wanted), default=None)


def canonical(form: Form) -> str:
    """Avro's parsing canonical form (Avro 1.12, "Parsing Canonical Form for Schemas")."""
    return str(fastavro.schema.to_parsing_canonical_form(form))
