"""The history of the contract: every version of every schema that was ever committed, and a record written with it."""

import io
import json
import struct
from typing import Any

import fastavro
import msgspec

from schemas.compatibility import KeptSchema, kept_versions
from schemas.serde import SCHEMAS, Serde
from schemas.versions import HISTORY_FOLDER, Form
from tests.unit.schemas.samples import IDS, KEYS, SERDE, filled

RECORDS = HISTORY_FOLDER / "records.json"
"""For each version the bytes of an event that was written with it, and the event as it was meant then. Where an
upcaster says it in other words by now, `now` holds these."""


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


def new_record(kept: KeptSchema) -> Form:
    """An entry for `records.json`: an event written with a kept schema, sealed under the samples' keys."""
    event = filled(kept.event, "personal, ÄÖ 秘密")
    values = SERDE.parse(SERDE.encode(event, KEYS.get)).values
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(kept.form, _force=True), values)
    fields = {field["name"] for field in kept.form["fields"]}
    expected = {name: value for name, value in msgspec.to_builtins(event).items() if name in fields}
    return {"schema": kept.name, "payload": buffer.getvalue().hex(), "event": expected}
