"""Stretches of a partition as files: every record as it is, in order, with nothing missing in between."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import fastavro
import msgspec

from backup.avro_files import checked, digest_of, rows_in, told_in, written
from backup.manifest import Segment
from photolog.errors import Corruption
from photolog.log.record import StoredRecord

LOG = "log/"
_SCHEMA: Any = fastavro.parse_schema(
    {
        "type": "record",
        "name": "Record",
        "namespace": "photolog.backup",
        "fields": [
            {"name": "offset", "type": "long"},
            {"name": "timestamp_ms", "type": "long"},
            {"name": "key", "type": ["null", "bytes"]},
            {"name": "value", "type": ["null", "bytes"]},
            {
                "name": "headers",
                "type": {
                    "type": "array",
                    "items": {
                        "type": "record",
                        "name": "Header",
                        "fields": [{"name": "name", "type": "string"}, {"name": "value", "type": ["null", "bytes"]}],
                    },
                },
            },
        ],
    }
)
_NAME = re.compile(r"log/[^/]+/[0-9]+/(?P<first>[0-9]{15})-(?P<end>[0-9]{15})\.(?P<digest>[0-9a-f]{32})\.avro")
_DIGEST_BYTES = 16
_encode = msgspec.msgpack.Encoder().encode


class RecordsDigest:
    """The digest of records in their order: BLAKE2b over a MessagePack array for each, of offset, timestamp in Unix
    milliseconds, key, value and headers."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=_DIGEST_BYTES)

    def add(self, record: StoredRecord) -> None:
        """Add the next record."""
        self._hash.update(_encode((record.offset, timestamp_of(record), record.key, record.value, record.headers)))

    def __str__(self) -> str:
        return self._hash.hexdigest()


def timestamp_of(record: StoredRecord) -> int:
    """When a record says it happened. The client that appends takes 0 for "now", and no record of ours is so old."""
    return max(record.timestamp_ms, 1)


def prefix_of(topic: str, partition: int) -> str:
    """Where the segments of a partition lie."""
    return f"{LOG}{topic}/{partition}/"


@dataclass(frozen=True, slots=True)
class Found:
    """A segment's file as its name tells it."""

    name: str
    first: int
    end: int
    digest: str


def found_in(name: str) -> Found | None:
    """What the name of a segment's file says; None for another name."""
    match = _NAME.fullmatch(name)
    return Found(name, int(match["first"]), int(match["end"]), match["digest"]) if match else None


def segment_of(records: Sequence[StoredRecord], topic_id: str) -> tuple[Segment, bytes]:
    """A segment of consecutive records of one partition, and its file.

    Args:
        records: at least one.
        topic_id: Kafka's id of the topic.
    """
    first, end, digest = records[0].offset, records[-1].offset + 1, RecordsDigest()
    for record in records:
        digest.add(record)
    told = {"photolog.topic_id": topic_id, "photolog.records_digest": str(digest)}
    data = written(_SCHEMA, map(_row, records), told, bytes.fromhex(str(digest)))
    file_digest = digest_of(data)
    name = f"{prefix_of(records[0].topic, records[0].partition)}{first:015d}-{end:015d}.{file_digest}.avro"
    return Segment(name, first, end, len(data), file_digest, str(digest)), data


def segment_there(found: Found, data: bytes, topic_id: str) -> Segment | None:
    """The segment of a file that an earlier run left; None where it is damaged, or the topic was made again since."""
    if digest_of(data) != found.digest:
        return None
    told = told_in(found.name, data)
    if told.get("photolog.topic_id") != topic_id:
        return None
    return Segment(found.name, found.first, found.end, len(data), found.digest, told["photolog.records_digest"])


def records_in(topic: str, partition: int, segment: Segment, data: bytes | None) -> list[StoredRecord]:
    """The records of a segment.

    Raises:
        Corruption: the file is missing, damaged, or not what the manifest says.
    """
    rows = rows_in(segment.name, checked(segment.name, data, segment.file_digest))
    records = [_record(topic, partition, row) for row in rows]
    digest = RecordsDigest()
    for at, record in enumerate(records, segment.first):
        if record.offset != at:
            raise Corruption(f"{segment.name} lacks offset {at}")
        digest.add(record)
    if len(records) != segment.end - segment.first or str(digest) != segment.records_digest:
        raise Corruption(f"{segment.name} does not hold the records that the manifest names")
    return records


def _row(record: StoredRecord) -> dict[str, Any]:
    return {
        "offset": record.offset,
        "timestamp_ms": timestamp_of(record),
        "key": record.key,
        "value": record.value,
        "headers": [{"name": name, "value": value} for name, value in record.headers],
    }


def _record(topic: str, partition: int, row: dict[str, Any]) -> StoredRecord:
    headers = tuple((header["name"], header["value"]) for header in row["headers"])
    return StoredRecord(topic, partition, row["offset"], row["key"], row["value"], headers, row["timestamp_ms"])
