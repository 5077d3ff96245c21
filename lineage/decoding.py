"""Records to events whose personal fields stay sealed, or are opened where somebody asked for it.

A sealed field is not absent: it holds a mark with a few digits of its ciphertext's digest, so that rows show that it is
there and whether an event changed it.
"""

import hashlib
import types
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin
from uuid import UUID

import msgspec

from lineage.reading import Placed
from photolog.errors import UndecodableRecord
from photolog.keyring import Keys
from projections.fold import Recorded
from schemas.events import Event
from schemas.serde import SealedRecord, Serde

_DIGITS = 6


class Happened(NamedTuple):
    """An event, and its record."""

    recorded: Recorded
    placed: Placed


class Opening:
    """Makes events of records.

    Args:
        serde: the codec.
        keys: opens personal fields; None leaves them sealed.
    """

    def __init__(self, serde: Serde, keys: Keys | None = None) -> None:
        self._serde = serde
        self._keys = keys

    @property
    def sealed(self) -> "Opening":
        """The same without keys."""
        return Opening(self._serde)

    async def events(self, records: Sequence[Placed]) -> list[Happened]:
        """The events among the records, in their order. What is none has become a dead letter, and is left out.

        Raises:
            StoreUnavailable: a key or an unknown schema could not be fetched.
        """
        parsed = [(placed, sealed) for placed in records if (sealed := self._parsed(placed)) is not None]
        if self._keys is not None:
            await self._keys.ensure({subject for _, sealed in parsed for subject in sealed.subjects})
        opened = [(placed, self._opened(sealed)) for placed, sealed in parsed]
        return [Happened(_recorded(placed, event), placed) for placed, event in opened if event is not None]

    def _parsed(self, placed: Placed) -> SealedRecord | None:
        try:
            event_id_of(placed)
            sealed = self._serde.parse(placed.record.value)
        except UndecodableRecord:
            return None
        return sealed if sealed.schema.topic.name == placed.record.topic else None

    def _opened(self, sealed: SealedRecord) -> Event | None:
        try:
            return marked(self._serde, sealed) if self._keys is None else self._serde.open_record(sealed, self._key_of)
        except UndecodableRecord:
            return None

    def _key_of(self, subject_id: int) -> bytes | None:
        return None if self._keys is None else self._keys.key_of(subject_id)


def marked(serde: Serde, sealed: SealedRecord) -> Event:
    """The event with a mark in place of everything personal. Raises UndecodableRecord as the codec does."""
    event = serde.open_record(sealed, lambda _: None)
    marks = {
        field: msgspec.convert(_mark(annotation, sealed.values[field]), annotation)
        for field, annotation in sealed.schema.personal_types.items()
        if sealed.values[field] is not None
    }
    return msgspec.structs.replace(event, **marks) if marks else event


def _recorded(placed: Placed, event: Event) -> Recorded:
    """An event with its place in the log."""
    record = placed.record
    return Recorded(
        event,
        event_id_of(placed),
        record.topic,
        record.partition,
        record.offset,
        record.timestamp_ms,
        placed.epoch,
    )


def event_id_of(placed: Placed) -> UUID:
    """CloudEvents' `id`. Raises UndecodableRecord where there is none that is one."""
    try:
        return UUID((placed.record.header("ce_id") or b"").decode("ascii"))
    except ValueError as error:
        raise UndecodableRecord("ce_id is no UUID") from error


def _mark(annotation: Any, ciphertext: bytes) -> Any:
    """A value of a personal field's type that says that it is sealed."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _mark(arguments[0], ciphertext)
    if origin in (Union, types.UnionType):
        return _mark(next(one for one in arguments if one is not type(None)), ciphertext)
    if origin is list:
        return [_mark(arguments[0], ciphertext)]
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        required = (field for field in msgspec.structs.fields(annotation) if field.required)
        return {field.name: _mark(field.type, ciphertext) for field in required}
    return f"<sealed {hashlib.sha256(ciphertext).hexdigest()[:_DIGITS]}>"
