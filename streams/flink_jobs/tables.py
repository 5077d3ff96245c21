"""Topics as Flink's tables: their columns come from the same classes that the codec uses, so that they cannot differ.

A table for reading has the event's fields, the place of each record, and the event time `at` with its watermark. One
for writing has the event's fields and, in front, what else a record of ours consists of: `record_key`, `headers` and
`recorded`, its timestamp.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import msgspec

from photolog.settings import KafkaSettings, RegistrySettings
from schemas.avro_form import plain_type
from schemas.events import Event
from schemas.serde import SCHEMAS
from streams.flink_jobs.kafka_properties import kafka_properties, registry_properties

_SCALARS: Mapping[Any, str] = {int: "BIGINT", str: "STRING", float: "DOUBLE", bool: "BOOLEAN"}
_OUT = "_out"
_ABOUT = ("record_key", "headers", "recorded")


@dataclass(frozen=True, slots=True)
class Reading:
    """How topics are read.

    Args:
        kafka: where the topics are.
        registry: where their schemas are.
        group: the consumer group under which Flink shows its offsets.
        lateness_ms: how far behind the latest event a record may be and still be in time.
        idle_ms: after how long without a record a partition is not waited for; 0 for never.
        until: for a bounded run, the offset of each (topic, partition) at which it ends; None for one that goes on.
    """

    kafka: KafkaSettings
    registry: RegistrySettings
    group: str
    lateness_ms: int
    idle_ms: int
    until: Mapping[tuple[str, int], int] | None = None


def columns(event: type[Event]) -> dict[str, str]:
    """The SQL type of each field of a flat event.

    Raises:
        TypeError: a field's type has no SQL form.
    """
    return {field.name: _sql_type(plain_type(field.type)) for field in msgspec.structs.fields(event)}


def table_name(event: type[Event]) -> str:
    """What the table is called that an event is read from."""
    return SCHEMAS[event].topic.name.replace(".", "_")


def reading_ddl(event: type[Event], reading: Reading, time: str = "at_ms") -> str:
    """The statement that lets a job read the topic of a flat event.

    Args:
        event: the one event type of its topic.
        reading: how it is read.
        time: the field that holds the event time, Unix ms.
    """
    own = [f"`{name}` {kind}" for name, kind in columns(event).items()]
    options = _options(event, reading.kafka, reading.registry) | {
        "scan.startup.mode": "earliest-offset",
        "scan.topic-partition-discovery.interval": "30 s",
        "properties.group.id": reading.group,
    }
    if reading.idle_ms:
        options["scan.watermark.idle-timeout"] = f"{reading.idle_ms} ms"
    if reading.until is not None:
        topic = SCHEMAS[event].topic.name
        ends = sorted((number, end) for (name, number), end in reading.until.items() if name == topic)
        options |= {
            "scan.bounded.mode": "specific-offsets",
            "scan.bounded.specific-offsets": ";".join(f"partition:{number},offset:{end}" for number, end in ends),
        }
    more = [
        "`record_partition` INT METADATA FROM 'partition' VIRTUAL",
        "`record_offset` BIGINT METADATA FROM 'offset' VIRTUAL",
        f"`at` AS TO_TIMESTAMP_LTZ(`{time}`, 3)",
        "`now` AS PROCTIME()",
        f"WATERMARK FOR `at` AS TO_TIMESTAMP_LTZ(`{time}` - {reading.lateness_ms}, 3)",
    ]
    return _create(table_name(event), [*own, *more], options)


def writing_ddl(event: type[Event], kafka: KafkaSettings, registry: RegistrySettings) -> str:
    """The statement that lets a job append events, under the very schema that is registered.

    What is appended is absolute, so that once more does no harm: a record may be told again after a crash, and no
    transaction makes gaps into the offsets.
    """
    own = [f"`{name}` {kind}" for name, kind in columns(event).items()]
    options = _options(event, kafka, registry) | {
        "key.format": "raw",
        "key.fields": _ABOUT[0],
        "value.fields-include": "EXCEPT_KEY",
        "value.avro-confluent.schema": SCHEMAS[event].text,
        "sink.delivery-guarantee": "at-least-once",
        "properties.compression.type": "lz4",
        "properties.acks": "all",
        "properties.linger.ms": "5",
    }
    more = [
        "`record_key` STRING NOT NULL",
        "`headers` MAP<STRING NOT NULL, BYTES NOT NULL> METADATA",
        "`recorded` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp'",
    ]
    return _create(table_name(event) + _OUT, [*more, *own], options)


def insertion(
    event: type[Event], query: str, *, key: str, identity: Sequence[str], at_ms: str, recorded: str | None = None
) -> str:
    """The statement that appends an event for each row of a query, which has the event's fields as columns.

    Args:
        event: what is appended.
        query: a table or view.
        key: SQL of the record's key, as the table of topics makes it.
        identity: columns of which the event's id is made. Counts are among them: a result that is told again and is
            another one must not be passed over as a repeat.
        at_ms: SQL of when it happened, Unix ms.
        recorded: SQL of the record's timestamp; when it happened where none is given.
    """
    told = recorded or f"TO_TIMESTAMP_LTZ({at_ms}, 3)"
    fields = [f"`{name}`" for name in columns(event)]
    names = ", ".join([*(f"`{name}`" for name in _ABOUT), *fields])
    values = ", ".join([key, _headers(event, identity, at_ms), told, *fields])
    return f"INSERT INTO `{table_name(event)}{_OUT}` ({names})\nSELECT {values}\nFROM `{query}`"


def _headers(event: type[Event], identity: Sequence[str], at_ms: str) -> str:
    """What travels with every event (`photolog.log.record.event_headers`), but for a request that led to it."""
    told = ", '/', ".join(f"CAST(`{column}` AS STRING)" for column in identity)
    digest = f"MD5(CONCAT('{event.type}/', {told}))"
    # A UUID of version 8 (RFC 9562), made by a rule of our own.
    parts = ((1, 8, ""), (9, 4, "-"), (14, 3, "-8"), (18, 3, "-8"), (21, 12, "-"))
    event_id = ", ".join(f"'{before}', SUBSTR({digest}, {first}, {length})" for first, length, before in parts)
    time = f"DATE_FORMAT(TO_TIMESTAMP_LTZ({at_ms}, 3), 'yyyy-MM-dd''T''HH:mm:ss.SSS')"
    headers: Mapping[str, str] = {
        "ce_specversion": "'1.0'",
        "ce_id": f"CONCAT({event_id})",
        "ce_type": f"'{event.type}'",
        "ce_source": "'photolog'",
        "ce_time": f"CONCAT({time}, '+00:00')",
        "content-type": "'application/avro'",
    }
    return f"MAP[{', '.join(f'{_quoted(name)}, CAST({value} AS BYTES)' for name, value in headers.items())}]"


def _create(name: str, body: Sequence[str], options: Mapping[str, str]) -> str:
    lines = ",\n  ".join(body)
    with_options = ",\n  ".join(f"{_quoted(key)} = {_quoted(value)}" for key, value in options.items())
    return f"CREATE TEMPORARY TABLE `{name}` (\n  {lines}\n) WITH (\n  {with_options}\n)"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _options(event: type[Event], kafka: KafkaSettings, registry: RegistrySettings) -> dict[str, str]:
    schema = SCHEMAS[event]
    return {
        "connector": "kafka",
        "topic": schema.topic.name,
        **kafka_properties(kafka),
        "value.format": "avro-confluent",
        "value.avro-confluent.subject": schema.subject,
        **registry_properties(registry),
    }


def _sql_type(annotation: Any) -> str:
    if annotation in _SCALARS:
        return f"{_SCALARS[annotation]} NOT NULL"
    origin = get_origin(annotation)
    if origin is Literal:
        return "STRING NOT NULL"
    if origin is list:
        return f"ARRAY<{_sql_type(get_args(annotation)[0])}> NOT NULL"
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        fields = (f"`{field.name}` {_sql_type(plain_type(field.type))}" for field in msgspec.structs.fields(annotation))
        return f"ROW<{', '.join(fields)}> NOT NULL"
    raise TypeError(f"no column for {annotation!r}")
