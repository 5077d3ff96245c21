"""One account's part of the log: every event that names it, its own deletion events told from the rest."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from leaving.mentions import NAMING, LogReader, Mention
from photolog.errors import UndecodableRecord
from photolog.ids import new_event_id
from photolog.log.record import EncodedRecord, StoredRecord, event_headers
from schemas.events import Event
from schemas.serde import SCHEMAS, SealedRecord, Serde
from schemas.topics import TOPICS, Topic, topic_of


@dataclass(frozen=True, slots=True)
class Named:
    """A record that names the account.

    Args:
        record: the record.
        sealed: its values, personal fields still sealed.
        event: the event without its personal fields.
    """

    record: StoredRecord
    sealed: SealedRecord
    event: Event


class AccountLog:
    """What the log holds of an account.

    Args:
        reader: gives the log.
        serde: the codec.
        account_id: the account.
    """

    def __init__(self, reader: LogReader, serde: Serde, account_id: int) -> None:
        self._reader = reader
        self._serde = serde
        self._account_id = account_id
        self._mention = Mention(account_id)

    async def batches(self, topics: Sequence[Topic] = TOPICS) -> AsyncIterator[list[Named]]:
        """Every event of some topics that names the account, topic by topic."""
        for topic in topics:
            async for records in self._reader.read(topic.name):
                named = self._named(records)
                if named:
                    yield named

    def _named(self, records: Sequence[StoredRecord]) -> list[Named]:
        found = []
        for record in records:
            if not self._mention.may_be_in(record):
                continue
            try:
                sealed = self._serde.parse(record.value)
                event = self._serde.open_record(sealed, lambda _: None)
            except UndecodableRecord:
                # Put aside by the jobs as a dead letter; the scan looks at those.
                continue
            if any(getattr(event, field) == self._account_id for field in NAMING[type(event)]):
                found.append(Named(record, sealed, event))
        return found


def correlation(account_id: int) -> bytes:
    """The correlation id of an erasure's own events, by which they are counted."""
    return b"erasure-%d" % account_id


def deletion_record(serde: Serde, account_id: int, event: Event, now_ms: int) -> EncodedRecord:
    """The record of a deletion event. Its id is new each time: a repeat takes back what is there, or nothing.

    Raises:
        TypeError: the event holds personal fields.
    """
    if SCHEMAS[type(event)].personal:
        raise TypeError(f"{event.type} holds personal fields")
    topic = topic_of(type(event))
    return EncodedRecord(
        topic=topic.name,
        key=topic.key(event).encode(),
        value=serde.encode(event, lambda _: None),
        headers=event_headers(new_event_id(), event.type, now_ms, correlation(account_id).decode()),
        timestamp_ms=now_ms,
    )
