"""`photolog topics`: the table of topics beside what Kafka holds of each."""

import sys
from collections.abc import Mapping
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from photolog.log.inspection import TopicState, topic_states
from photolog.settings import load_settings
from photolog.timestamps import rfc3339
from schemas.topics import FOREVER_MS, TOPICS, Topic

_DAY_MS = 86_400_000


class TopicLine(msgspec.Struct, frozen=True, kw_only=True):
    """One topic, as `--json` prints it.

    Args:
        topic: its name.
        kind: as in `schemas.topics`, or `dead-letter`.
        there: whether Kafka has it; what is asked of Kafka is null where it does not.
        events: the event types that it carries.
        keyed_by: what its key is.
        personal: whether any event has sealed fields.
        partitions: how many it has.
        retention_ms: how long Kafka keeps records, -1 for ever.
        records: how many it holds.
        first_time: the time of its first record; null where it is empty.
        last_time: the latest time of any record.
    """

    topic: str
    kind: str
    there: bool
    events: list[str]
    keyed_by: str
    personal: bool
    partitions: int | None
    retention_ms: int | None
    records: int | None
    first_time: str | None
    last_time: str | None


def topics(as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False) -> None:
    """Show every topic and its dead-letter topic: what it carries, how it is keyed, and what it holds now."""
    names = [name for topic in TOPICS for name in (topic.name, topic.dead_letters)]
    states = topic_states(load_settings().kafka, names)
    lines = topic_lines(states)
    if as_json:
        for line in lines:
            sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    else:
        Console().print(topics_table(lines))


def topic_lines(states: Mapping[str, TopicState]) -> list[TopicLine]:
    """Every topic of ours, its dead letters behind it."""
    return [
        line
        for topic in TOPICS
        for line in (
            _line(topic, topic.name, topic.kind, states.get(topic.name)),
            _line(topic, topic.dead_letters, "dead-letter", states.get(topic.dead_letters)),
        )
    ]


def topics_table(lines: list[TopicLine]) -> Table:
    """The topics for a person to read."""
    table = Table(box=None, pad_edge=False)
    table.add_column("topic", no_wrap=True)
    for name in ("kind", "records", "partitions", "kept", "first", "last", "key", "sealed", "events"):
        table.add_column(name, overflow="fold")
    for line in lines:
        if not line.there:
            table.add_row(line.topic, line.kind, "[red]missing in Kafka: `migrate` makes it[/red]")
            continue
        # An empty dead-letter topic is as it should be and says no more.
        carried = ("", "", "") if line.kind == "dead-letter" else (line.keyed_by, "yes" if line.personal else "no",
                                                                   " ".join(line.events))  # fmt: skip
        table.add_row(
            line.topic,
            line.kind,
            str(line.records),
            str(line.partitions),
            _kept(line.retention_ms),
            (line.first_time or "")[:19],
            (line.last_time or "")[:19],
            *carried,
        )
    return table


def _line(topic: Topic, name: str, kind: str, state: TopicState | None) -> TopicLine:
    return TopicLine(
        topic=name,
        kind=kind,
        there=state is not None,
        events=[event.type for event in topic.events],
        keyed_by=topic.keyed_by,
        personal=topic.personal,
        partitions=state.partitions if state else None,
        retention_ms=state.retention_ms if state else None,
        records=state.records if state else None,
        first_time=_time(state.first_ms if state else None),
        last_time=_time(state.last_ms if state else None),
    )


def _time(unix_ms: int | None) -> str | None:
    return None if unix_ms is None else rfc3339(unix_ms)


def _kept(retention_ms: int | None) -> str:
    return "for ever" if retention_ms in (None, FOREVER_MS) else f"{(retention_ms or 0) / _DAY_MS:g} days"
