"""A story of the log as lines for a person to read."""

import json
from collections.abc import Mapping
from typing import Any

from cli.log_options import plain
from lineage.story import EffectTold, EventTold, Note, RowStateTold, RowTold, Told


def told_text(told: Told) -> str:
    """A piece of a story; what no terminal should be told is escaped."""
    match told:
        case EventTold():
            return _event(told)
        case EffectTold():
            first = f" of {told.first}" if told.first else ""
            return f"  {told.projection}: {told.standing}{first}"
        case RowTold():
            return _row(told)
        case RowStateTold():
            return f"now {told.row}: {'absent' if told.state is None else _fields(told.state)}"
        case Note():
            return f"({plain(told.text)})"


def _event(told: EventTold) -> str:
    head = f"{'  ' * told.depth}{'↳ ' if told.depth else ''}{told.type or 'no event'} at {told.position}, {told.time}"
    request = f"    request {told.correlation_id or '-'}" + (f", trace {told.traceparent}" if told.traceparent else "")
    origin = f", because of {told.cause}" if told.cause else ""
    lines = [head, f"    id {told.event_id}, key {told.key or '-'}{origin}", request, f"    {_fields(told.fields)}"]
    return "\n".join(plain(line) for line in lines)


def _row(told: RowTold) -> str:
    inexact = "" if told.exact else "  (without what other keys did: too much to fold)"
    head = f"    {told.row}{inexact}"
    if told.after is None:
        return plain(f"{head}: gone")
    if told.before is None:
        return plain(f"{head}: new: {_fields(told.after)}")
    changed = (
        f"{name}: {_value(told.before.get(name))} → {_value(value)}"
        for name, value in told.after.items()
        if told.before.get(name) != value
    )
    return plain(f"{head}: {', '.join(changed)}")


def _fields(fields: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in fields.items())


def _value(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
