"""The history of the contract: every version of every schema that was ever committed, and a record written with it."""

import io
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastavro
import msgspec
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse

from schemas.events import Event
from schemas.serde import SCHEMAS, Serde
from schemas.versions import HISTORY_FOLDER, Form, kept_forms
from tests.unit.schemas.samples import IDS, KEYS, SERDE, filled

RECORDS = HISTORY_FOLDER / "records.json"
"""For each version the bytes of an event that was written with it, and the event as it was meant then. Where an
upcaster says it in other words by now, `now` holds these."""


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


KEPT = [kept for event in SCHEMAS for kept in kept_versions(event)]
ENTRIES: dict[str, dict[str, Any]] = {entry["schema"]: entry for entry in json.loads(RECORDS.read_text())}
FIRST_KEPT_ID = 1_000
_TEXTS = {FIRST_KEPT_ID + number: json.dumps(kept.form) for number, kept in enumerate(KEPT)}
KEPT_SERDE = Serde(IDS, _TEXTS.get)
"""Reads every version, each under an id of its own behind `FIRST_KEPT_ID`."""


def kept_bytes(kept: KeptSchema, payload: bytes | None = None) -> bytes:
    """The kept record of a version, or another payload that was written with it, framed for `KEPT_SERDE`."""
    framing = struct.pack(">bI", 0, FIRST_KEPT_ID + KEPT.index(kept))
    return framing + (payload if payload is not None else bytes.fromhex(ENTRIES[kept.name]["payload"]))


def incompatibilities(current: Form, kept: Form) -> list[str]:
    """Why two versions of a schema do not fit in both directions (FULL), by Apache Avro's own checker; none if they do.

    Beyond Avro's rules, which let bytes be read as a string, a field that is personal in one is so in the other.
    """
    found = [*_unreadable(current, kept, "new reader, old bytes"), *_unreadable(kept, current, "old reader, new bytes")]
    marks, kept_marks = _subjects(current), _subjects(kept)
    return found + [
        f"{field} is personal in one version only, or another person's"
        for field in marks.keys() & kept_marks.keys()
        if marks[field] != kept_marks[field]
    ]


def new_record(kept: KeptSchema) -> Form:
    """An entry for `records.json`: an event written with a kept schema, sealed under the samples' keys."""
    event = filled(kept.event, "personal, ÄÖ 秘密")
    values = SERDE.parse(SERDE.encode(event, KEYS.get)).values
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(kept.form, _force=True), values)
    fields = {field["name"] for field in kept.form["fields"]}
    expected = {name: value for name, value in msgspec.to_builtins(event).items() if name in fields}
    return {"schema": kept.name, "payload": buffer.getvalue().hex(), "event": expected}


def _unreadable(reader: Form, writer: Form, direction: str) -> list[str]:
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]  # Avro types it in part
    result = checker.get_compatibility(parse(json.dumps(reader)), parse(json.dumps(writer)))
    if result.compatibility is SchemaCompatibilityType.compatible:
        return []
    return [f"{direction}: {', '.join(kind.value for kind in result.incompatibilities)} at {sorted(result.locations)}"]


def _subjects(form: Form) -> dict[str, str | None]:
    return {field["name"]: field.get("subject") for field in form["fields"]}


def path_of(event: type[Event], number: int) -> Path:
    """Where a version is kept."""
    return HISTORY_FOLDER / event.capability / event.__name__ / f"{number}.avsc"
