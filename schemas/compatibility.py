"""Whether schemas fit each other: every version that was ever committed is kept in `schemas/history/`.

FULL compatibility by Apache Avro's own checker: each of two versions reads what the other wrote. Beyond Avro's rules, a
field that is personal in one version is so in the other.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.errors import AvroException
from avro.schema import parse

from photolog.errors import Invalid
from schemas.events import Event
from schemas.serde import SCHEMAS
from schemas.versions import HISTORY_FOLDER, Form, kept_forms

SCHEMA_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class KeptSchema:
    """One version of one event's schema."""

    event: type[Event]
    number: int
    form: Form

    @property
    def name(self) -> str:
        """Its place in the history, such as `posts/PostCreated/1`."""
        return f"{self.event.capability}/{self.event.__name__}/{self.number}"


def kept_versions(event: type[Event]) -> list[KeptSchema]:
    """All versions of an event's schema, oldest first."""
    return [KeptSchema(event, number, form) for number, form in enumerate(kept_forms(event), start=1)]


def path_of(event: type[Event], number: int) -> Path:
    """Where a version is kept."""
    return HISTORY_FOLDER / event.capability / event.__name__ / f"{number}.avsc"


def incompatibilities(current: Form, kept: Form) -> list[str]:
    """Why two versions of a schema do not fit in both directions; none if they do."""
    found = [*_unreadable(current, kept, "new reader, old bytes"), *_unreadable(kept, current, "old reader, new bytes")]
    marks, kept_marks = _subjects(current), _subjects(kept)
    return found + [
        f"{field} is personal in one version only, or another person's"
        for field in marks.keys() & kept_marks.keys()
        if marks[field] != kept_marks[field]
    ]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a schema fits one version.

    Args:
        version: which, such as `history 1` or `registry 2`.
        reasons: why it does not; none where it does.
    """

    version: str
    reasons: tuple[str, ...]


def judge(form: Form, registered: Sequence[tuple[int, Form]]) -> list[Verdict]:
    """Hold a schema to every version of its event that was ever committed, and to those that the registry has.

    Args:
        form: the schema; its name tells which event it is.
        registered: number and form of the registry's versions.

    Returns:
        A verdict for each version; none for an event that never was.
    """
    event = event_of(form)
    if event is None:
        return []
    versions = [(f"history {kept.number}", kept.form) for kept in kept_versions(event)]
    versions += [(f"registry {number}", there) for number, there in registered]
    return [Verdict(version, tuple(_misfits(form, other))) for version, other in versions]


def event_of(form: Form) -> type[Event] | None:
    """The event whose schema it is, by the record's full name; None for one that we do not have."""
    name, namespace = str(form["name"]), form.get("namespace")
    full = f"{namespace}.{name}" if namespace and "." not in name else name
    return next((event for event in SCHEMAS if f"photolog.{event.capability}.{event.__name__}" == full), None)


def _misfits(form: Form, other: Form) -> list[str]:
    found = incompatibilities(form, other)
    if form.get("event") != other.get("event"):
        found.append(f"its event is {form.get('event')!r}, not {other.get('event')!r}")
    return found


def parse_form(text: bytes) -> Form:
    """The form of a record's schema.

    Raises:
        Invalid: the text is not the Avro schema of a record, or longer than `SCHEMA_BYTES_MAX`.
    """
    if len(text) > SCHEMA_BYTES_MAX:
        raise Invalid("schema-too-large", f"a schema has at most {SCHEMA_BYTES_MAX} bytes")
    try:
        form = json.loads(text)
        parse(json.dumps(form))
    # Avro raises its own errors, and whatever a form that is no schema leads it into.
    except (AvroException, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise Invalid("malformed-schema", f"not an Avro schema: {error}") from error
    if not isinstance(form, dict) or form.get("type") != "record":
        raise Invalid("malformed-schema", "not the schema of a record")
    return form


def _unreadable(reader: Form, writer: Form, direction: str) -> list[str]:
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]  # Avro types it in part
    result = checker.get_compatibility(parse(json.dumps(reader)), parse(json.dumps(writer)))
    if result.compatibility is SchemaCompatibilityType.compatible:
        return []
    return [f"{direction}: {', '.join(kind.value for kind in result.incompatibilities)} at {sorted(result.locations)}"]


def _subjects(form: Form) -> dict[str, str | None]:
    return {field["name"]: field.get("subject") for field in form["fields"]}
