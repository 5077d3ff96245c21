"""Records for people to look at: decoded and upcast, personal fields sealed unless somebody asks to open them."""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from photolog.errors import UndecodableRecord
from photolog.keyring import Keys
from photolog.log.record import StoredRecord
from photolog.timestamps import rfc3339
from schemas.serde import SealedRecord, Serde

SEALED = "<sealed>"
ERASED = "<erased>"
_FIRST_BYTES = 48
_HEADER_CHARACTERS_MAX = 1_000
# Ids are beyond what a double holds, as which many readers of JSON take a number.
_ID = re.compile(r".*_(id|ids|by)")
_TOLD = frozenset({"ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "content-type"})


class Undecodable(msgspec.Struct, frozen=True, kw_only=True):
    """Why a record is no event.

    Args:
        reason: in a sentence.
        first_bytes: the first 48 bytes of its value, base64.
        size_bytes: how many it has.
    """

    reason: str
    first_bytes: str
    size_bytes: int


class ViewedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record as it is shown.

    Args:
        topic: where it is, with `partition` and `offset`.
        time: when the action happened.
        event_id: CloudEvents' id; null where the record has none.
        type: the event type, by its bytes, else by its header; null where nobody can tell.
        key: its partition key; bytes that are no text are escaped.
        event: its fields, by the present schema; ids are strings. Null where the record is no event.
        undecodable: why it is none.
        headers: those that say more than the above, such as why a dead letter died.
    """

    topic: str
    partition: int
    offset: int
    time: str
    event_id: str | None
    type: str | None
    key: str | None
    event: Mapping[str, Any] | None
    undecodable: Undecodable | None
    headers: Mapping[str, str]


class Viewer:
    """Makes records readable.

    Args:
        serde: the codec.
        keys: opens personal fields; without it they stay sealed.
    """

    def __init__(self, serde: Serde, keys: Keys | None = None) -> None:
        self._serde = serde
        self._keys = keys

    def type_of(self, record: StoredRecord) -> str | None:
        """The event type of a record by its bytes; None where it is no event."""
        try:
            return self._serde.parse(record.value).schema.event.type
        except UndecodableRecord:
            return None

    async def view(self, records: Sequence[StoredRecord]) -> list[ViewedRecord]:
        """Every record, in order.

        Raises:
            StoreUnavailable: a key or an unknown schema could not be fetched.
        """
        parsed = [self._parsed(record) for record in records]
        if self._keys is not None:
            await self._keys.ensure(
                {subject for one in parsed if isinstance(one, SealedRecord) for subject in one.subjects}
            )
        return [self._viewed(record, one) for record, one in zip(records, parsed, strict=True)]

    def _parsed(self, record: StoredRecord) -> SealedRecord | UndecodableRecord:
        try:
            return self._serde.parse(record.value)
        except UndecodableRecord as error:
            return error

    def _viewed(self, record: StoredRecord, parsed: SealedRecord | UndecodableRecord) -> ViewedRecord:
        event: Mapping[str, Any] | None = None
        told = record.header("ce_type")
        event_type = None if told is None else told.decode(errors="replace")
        failure = parsed if isinstance(parsed, UndecodableRecord) else None
        if isinstance(parsed, SealedRecord):
            event_type = parsed.schema.event.type
            try:
                event = self._opened(parsed)
            except UndecodableRecord as error:
                failure = error
        return ViewedRecord(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            time=rfc3339(max(record.timestamp_ms, 0)),
            event_id=_text(record.header("ce_id")),
            type=event_type,
            key=_text(record.key),
            event=event,
            undecodable=None if failure is None else _undecodable(record.value or b"", failure),
            headers=_headers(record),
        )

    def _opened(self, sealed: SealedRecord) -> Mapping[str, Any]:
        """The fields as they are shown. The codec opens the record in any case: it judges the other fields, too."""
        event = self._serde.open_record(sealed, self._keys.key_of if self._keys else lambda _: None)
        values: dict[str, Any] = msgspec.to_builtins(event)
        for field in sealed.schema.personal:
            if sealed.values[field] is not None and values[field] is None:
                values[field] = ERASED if self._keys else SEALED
        return {name: shown_value(name, value) for name, value in values.items()}


def shown_value(name: str, value: Any) -> Any:
    """The value of a field of this name, its ids as strings."""
    match value:
        case dict():
            return {inner: shown_value(inner, held) for inner, held in value.items()}
        case list():
            return [shown_value(name, held) for held in value]
        case int() if _ID.fullmatch(name):
            return str(value)
    return value


def _undecodable(value: bytes, error: UndecodableRecord) -> Undecodable:
    first = base64.b64encode(value[:_FIRST_BYTES]).decode()
    return Undecodable(reason=str(error), first_bytes=first, size_bytes=len(value))


def _headers(record: StoredRecord) -> dict[str, str]:
    """A name that comes more than once has its values in their order, joined by commas."""
    found: dict[str, str] = {}
    for name, value in record.headers:
        if name not in _TOLD:
            text = (_text(value) or "")[:_HEADER_CHARACTERS_MAX]
            found[name] = f"{found[name]}, {text}" if name in found else text
    return found


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="backslashreplace")
