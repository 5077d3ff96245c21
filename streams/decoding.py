"""Records to events: framing and Avro, the subjects' keys, the event's id."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from photolog.errors import UndecodableRecord
from photolog.keyring import Keys
from photolog.log.record import StoredRecord
from projections.fold import Recorded
from schemas.serde import SealedRecord, Serde


@dataclass(frozen=True, slots=True)
class Dead:
    """A record that is put aside, and why; `ordered` where the records of its key wait behind it."""

    record: StoredRecord
    reason: str
    ordered: bool = False


class Decoder:
    """Decodes records a batch at a time, so that keys are fetched once for all of them."""

    def __init__(self, serde: Serde, keys: Keys) -> None:
        self._serde = serde
        self._keys = keys

    async def decode(self, records: Sequence[StoredRecord]) -> tuple[list[Recorded], list[Dead]]:
        """The events among the records, in order, and the records that are none.

        Raises:
            StoreUnavailable: a key or an unknown schema could not be fetched.
        """
        parsed: list[tuple[StoredRecord, UUID, SealedRecord]] = []
        dead: list[Dead] = []
        for record in records:
            try:
                parsed.append((record, _event_id(record), self._parse(record)))
            except UndecodableRecord as error:
                dead.append(Dead(record, f"undecodable: {error}"))
        subjects = {subject for _, _, sealed in parsed for subject in sealed.subjects}
        if subjects:
            await self._keys.ensure(subjects)
        events = []
        for record, event_id, sealed in parsed:
            try:
                events.append(self._open(record, event_id, sealed))
            except UndecodableRecord as error:
                dead.append(Dead(record, f"undecodable: {error}"))
        return events, dead

    def _parse(self, record: StoredRecord) -> SealedRecord:
        sealed = self._serde.parse(record.value)
        if sealed.schema.topic.name != record.topic:
            raise UndecodableRecord(f"{sealed.schema.event.__name__} does not belong to the topic {record.topic}")
        return sealed

    def _open(self, record: StoredRecord, event_id: UUID, sealed: SealedRecord) -> Recorded:
        event = self._serde.open_record(sealed, self._keys.key_of)
        return Recorded(event, event_id, record.topic, record.partition, record.offset, record.timestamp_ms)


def _event_id(record: StoredRecord) -> UUID:
    """CloudEvents' `id`, which tells a repeated append from another event."""
    header = record.header("ce_id")
    if header is None:
        raise UndecodableRecord("no ce_id header")
    try:
        return msgspec.convert(header.decode("ascii"), UUID)
    except (ValueError, msgspec.ValidationError) as error:
        raise UndecodableRecord("ce_id is no UUID") from error
