"""Bytes to events and back: Confluent framing, Avro values by fastavro, personal fields sealed before append.

Decoding is in two steps because a subject's key may have to be fetched: `parse` gives a record whose personal fields
are still sealed and names the subjects it needs; `open_record` opens them with the keys at hand. A record of an old
version is brought to the current one in the first step (schemas/upcasters.py).
Framing: one zero byte, the schema id as four big-endian bytes, then the Avro value (Confluent wire format).
"""

import io
import json
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastavro
import msgspec

from photolog import seal
from photolog.errors import Corruption, UndecodableRecord
from schemas.avro_form import personal_fields
from schemas.events import Event
from schemas.topics import TOPICS, Topic
from schemas.upcasters import OldVersion, old_version

AVRO_FOLDER = Path(__file__).parent / "avro"
_HEADER = struct.Struct(">bI")
_UNKNOWN_SECONDS = 60.0
_UNKNOWN_MAX = 10_000
KeyOf = Callable[[int], bytes | None]


@dataclass(frozen=True, slots=True)
class EventSchema:
    """What the codec knows of one event type."""

    event: type[Event]
    topic: Topic
    text: str
    parsed: Any
    personal: Mapping[str, str]
    personal_types: Mapping[str, Any]

    @property
    def subject(self) -> str:
        """The registry's subject, by topic and record name."""
        return f"{self.topic.name}-photolog.{self.event.capability}.{self.event.__name__}"


def _load(event: type[Event], topic: Topic) -> EventSchema:
    text = (AVRO_FOLDER / event.capability / f"{event.__name__}.avsc").read_text()
    personal = personal_fields(event)
    types = {field.name: field.type for field in msgspec.structs.fields(event) if field.name in personal}
    return EventSchema(event, topic, text, fastavro.parse_schema(json.loads(text)), personal, types)


SCHEMAS: dict[type[Event], EventSchema] = {event: _load(event, topic) for topic in TOPICS for event in topic.events}
_BY_RECORD_NAME = {f"photolog.{s.event.capability}.{s.event.__name__}": s for s in SCHEMAS.values()}


class SealedRecord(msgspec.Struct, frozen=True):
    """A decoded record whose personal fields are still ciphertext."""

    schema: EventSchema
    values: dict[str, Any]

    @property
    def subjects(self) -> frozenset[int]:
        """The accounts whose keys are needed to open it."""
        return frozenset(
            self.values[subject] for field, subject in self.schema.personal.items() if self.values[field] is not None
        )


class Serde:
    """The codec of one process.

    Args:
        ids: the registry's schema id of each event type.
        writer_text: fetches the schema text of an id that is not in `ids` (an older or newer writer), or None
            where the registry does not know it; called once per id, never on a request's path.
    """

    def __init__(self, ids: Mapping[type[Event], int], writer_text: Callable[[int], str | None] | None = None) -> None:
        self._ids = dict(ids)
        self._writer_text = writer_text
        # A flood of poison under one id asks the registry once a minute; an id may yet be registered.
        self._unknown_until: dict[int, float] = {}
        # Writer's schema, and the reader's where it is another one: fastavro is far quicker without.
        self._by_id: dict[int, tuple[Any, Any | None, EventSchema]] = {
            schema_id: (SCHEMAS[event].parsed, None, SCHEMAS[event]) for event, schema_id in ids.items()
        }
        self._old: dict[int, OldVersion] = {}

    def encode(self, event: Event, key_of: KeyOf) -> bytes:
        """The framed value of an event, its personal fields sealed.

        Args:
            event: the event.
            key_of: the key of a subject; None for an erased one, whose fields are then left out.
        """
        schema = SCHEMAS[type(event)]
        values = msgspec.to_builtins(event, builtin_types=(bytes,))
        for field, subject_field in schema.personal.items():
            values[field] = _sealed(schema, field, getattr(event, field), values[subject_field], key_of)
        buffer = io.BytesIO()
        buffer.write(_HEADER.pack(0, self._ids[type(event)]))
        fastavro.schemaless_writer(buffer, schema.parsed, values)
        return buffer.getvalue()

    def parse(self, value: bytes | None) -> SealedRecord:
        """Decode a framed value, personal fields still sealed.

        Raises:
            UndecodableRecord: the bytes are not an event that this version knows; the message says why.
        """
        if value is None or len(value) < _HEADER.size:
            raise UndecodableRecord("shorter than the framing")
        magic, schema_id = _HEADER.unpack_from(value)
        if magic != 0:
            raise UndecodableRecord(f"magic byte is {magic}, not 0")
        writer, reader, schema = self._by_id.get(schema_id) or self._foreign(schema_id)
        buffer = io.BytesIO(value)
        buffer.seek(_HEADER.size)
        try:
            values: Any = fastavro.schemaless_reader(buffer, writer, reader)
            if reader is not None and schema_id in self._old:
                values = self._old[schema_id].current(values)
        # fastavro and upcasters raise whatever the bytes lead them into; all of it means the same here.
        except Exception as error:
            raise UndecodableRecord(f"not a {schema.event.__name__}: {error!r}") from error
        if buffer.read(1):
            raise UndecodableRecord(f"bytes left over behind a {schema.event.__name__}")
        return SealedRecord(schema, values)

    def open_record(self, record: SealedRecord, key_of: KeyOf) -> Event:
        """The typed event of a parsed record; a personal field whose key is erased is None.

        Raises:
            UndecodableRecord: a sealed value does not open, or a value breaks the record's type.
        """
        values = record.values
        if record.schema.personal:
            values = {**values, **_opened(record, key_of)}
        try:
            return msgspec.convert(values, record.schema.event)
        except msgspec.ValidationError as error:
            raise UndecodableRecord(f"not a {record.schema.event.__name__}: {error}") from error

    def _foreign(self, schema_id: int) -> tuple[Any, Any, EventSchema]:
        if time.monotonic() < self._unknown_until.get(schema_id, 0.0):
            raise UndecodableRecord(f"schema id {schema_id} is unknown")
        text = self._writer_text(schema_id) if self._writer_text else None
        if text is None:
            if len(self._unknown_until) >= _UNKNOWN_MAX:
                self._unknown_until.clear()
            self._unknown_until[schema_id] = time.monotonic() + _UNKNOWN_SECONDS
            raise UndecodableRecord(f"schema id {schema_id} is unknown")
        try:
            writer: Any = fastavro.parse_schema(json.loads(text))
            schema = _BY_RECORD_NAME[writer["name"]]
            old = old_version(schema.event, text)
        # What others registered need not be Avro; fastavro raises whatever such a text leads it into.
        except Exception as error:
            raise UndecodableRecord(f"schema id {schema_id} is no event of ours") from error
        if old is not None:
            self._old[schema_id] = old
        known = (writer, old.reader if old else schema.parsed, schema)
        self._by_id[schema_id] = known
        return known


def _sealed(schema: EventSchema, field: str, value: Any, subject_id: int, key_of: KeyOf) -> bytes | None:
    key = key_of(subject_id) if value is not None else None
    if key is None:
        return None
    return seal.seal(key, msgspec.json.encode(value), seal.place(schema.event.type, field, subject_id))


def _opened(record: SealedRecord, key_of: KeyOf) -> dict[str, Any]:
    opened: dict[str, Any] = {}
    for field, subject_field in record.schema.personal.items():
        ciphertext, subject_id = record.values[field], record.values[subject_field]
        key = key_of(subject_id) if ciphertext is not None else None
        if key is None:
            opened[field] = None
            continue
        try:
            plaintext = seal.unseal(key, ciphertext, seal.place(record.schema.event.type, field, subject_id))
            opened[field] = msgspec.json.decode(plaintext, type=record.schema.personal_types[field])
        except (Corruption, msgspec.DecodeError) as error:
            raise UndecodableRecord(f"{record.schema.event.__name__}.{field}: {error}") from error
    return opened
