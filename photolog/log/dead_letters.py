"""Dead letters: records that cannot be processed, kept beside their topic with the reason and the place they came from.

Key and value are the original bytes; Kafka's "no key" and "no value" become empty ones, named in `dead_null`. Headers
tell where and why, so that the record can be looked at, repaired, and appended again under the same ids.
"""

from photolog.log.record import EncodedRecord, StoredRecord

PREFIX = "dead_"
_REASON_CHARACTERS_MAX = 300


def dead_letter(
    record: StoredRecord, dead_topic: str, reader: str, reason: str, *, ordered: bool = False
) -> EncodedRecord:
    """The dead letter of a record.

    Args:
        record: as it was read.
        dead_topic: the topic for the dead letters of the record's topic.
        reader: the projection or worker that could not process it.
        reason: why; it must not quote decrypted personal data. It is cut at 300 characters.
        ordered: whether the records of its key wait behind it, so that a retry must keep their order.
    """
    missing = [name for name, part in (("key", record.key), ("value", record.value)) if part is None]
    told = {
        "dead_reason": reason[:_REASON_CHARACTERS_MAX],
        "dead_topic": record.topic,
        "dead_partition": str(record.partition),
        "dead_offset": str(record.offset),
        "dead_projection": reader,
    }
    if ordered:
        told["dead_order"] = "key"
    if missing:
        told["dead_null"] = ",".join(missing)
    kept = [(name, value or b"") for name, value in record.headers if not name.startswith(PREFIX)]
    return EncodedRecord(
        topic=dead_topic,
        key=record.key or b"",
        value=record.value or b"",
        headers=(*kept, *((name, value.encode()) for name, value in told.items())),
        timestamp_ms=max(record.timestamp_ms, 0),
    )
