"""Events of every type, drawn from the classes themselves."""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from hypothesis import strategies as st

from schemas.events import Event, Personal
from schemas.serde import SCHEMAS, Serde

KEYS = {1: b"1" * 32, 2: b"2" * 32, 3: b"3" * 32}
"""Subject keys of the only accounts that drawn events speak of."""

IDS = {event: number for number, event in enumerate(SCHEMAS, start=1)}
SERDE = Serde(IDS)
EVENT_TYPES = sorted(SCHEMAS, key=lambda event: event.type)
PERSONAL_TYPES = [event for event in EVENT_TYPES if SCHEMAS[event].personal]

_PRIMITIVES: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(-(2**63), 2**63 - 1),
    str: st.text(),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
}


def events_of(event: type[Event]) -> st.SearchStrategy[Event]:
    """Any event of a type, about the accounts of `KEYS`."""
    subjects = set(SCHEMAS[event].personal.values())
    fields = {
        field.name: st.sampled_from(sorted(KEYS)) if field.name in subjects else _values(field.type)
        for field in msgspec.structs.fields(event)
    }
    return st.builds(event, **fields)


events = st.sampled_from(EVENT_TYPES).flatmap(events_of)


def filled(event: type[Event], text: str) -> Event:
    """An event of a type with every field filled, and this text in all its personal ones."""
    return msgspec.convert(
        {field.name: _filling(field.type, "clear", text) for field in msgspec.structs.fields(event)}, event
    )


def _filling(annotation: Any, text: str, personal: str) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _filling(arguments[0], personal if isinstance(arguments[1], Personal) else text, personal)
    if origin is Literal:
        return arguments[0]
    if origin in (Union, types.UnionType):
        return _filling(next(one for one in arguments if one is not type(None)), text, personal)
    if origin is list:
        return [_filling(arguments[0], text, personal)] * 2
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        fields = msgspec.structs.fields(annotation)
        return {field.name: _filling(field.type, text, personal) for field in fields}
    return {int: 1, str: text, bool: True, float: 1.5}[annotation]


def _values(annotation: Any) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _values(arguments[0])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, types.UnionType):
        return st.one_of(*(st.none() if one is type(None) else _values(one) for one in arguments))
    if origin is list:
        return st.lists(_values(arguments[0]), max_size=4)
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return st.builds(
            annotation, **{field.name: _values(field.type) for field in msgspec.structs.fields(annotation)}
        )
    return _PRIMITIVES[annotation]
