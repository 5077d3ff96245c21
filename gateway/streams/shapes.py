"""An event's data as analysts get it: the declared fields, ids as pseudonyms; and its JSON Schema and dictionary.

What is not declared in the schema is not looked at, so a new field is served to nobody until somebody says so.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from gateway.streams.filters import PUBLIC
from gateway.streams.pseudonyms import Pseudonyms
from schemas.avro_form import plain_type, shown_fields
from schemas.events import Event, Form

Shape = tuple[tuple[str, Form, "Shape | None"], ...]
_PSEUDONYM = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
_NUMBERS: Mapping[Any, str] = {int: "integer", float: "number", bool: "boolean", str: "string"}


def data_of(event: Event, pseudonyms: Pseudonyms) -> dict[str, Any]:
    """The data of an event. Raises KeyError for a type that is not declared."""
    return _values(event, _shape(PUBLIC[event.type]), pseudonyms.of)


def json_schema(event: type[Event]) -> dict[str, Any]:
    """The JSON Schema of an event type's data; `description` tells what a field is."""
    return _record_schema(event) | {"description": (event.__doc__ or event.type).strip().split("\n")[0]}


@cache
def _shape(record: type[msgspec.Struct]) -> Shape:
    fields = {field.name: plain_type(field.type) for field in msgspec.structs.fields(record)}
    return tuple(
        (name, shown.form, None if (inner := _inner(fields[name])) is None else _shape(inner))
        for name, shown in shown_fields(record).items()
    )


def _inner(annotation: Any) -> type[msgspec.Struct] | None:
    """The record within a field, or within a list that it is."""
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            return part
    return None


def _values(record: msgspec.Struct, shape: Shape, pseudonym: Callable[[Form, int], str]) -> dict[str, Any]:
    return {name: _value(getattr(record, name), form, inner, pseudonym) for name, form, inner in shape}


def _value(value: Any, form: Form, inner: Shape | None, pseudonym: Callable[[Form, int], str]) -> Any:
    if value is None:
        return None
    if isinstance(value, list):
        return [_value(one, form, inner, pseudonym) for one in value]
    if inner is not None:
        return _values(value, inner, pseudonym)
    return value if form == "plain" else pseudonym(form, value)


def _record_schema(record: type[msgspec.Struct]) -> dict[str, Any]:
    types = {field.name: plain_type(field.type) for field in msgspec.structs.fields(record)}
    shown = shown_fields(record)
    return {
        "type": "object",
        "properties": {
            name: _field_schema(types[name], mark.form) | {"description": mark.meaning} for name, mark in shown.items()
        },
        "required": list(shown),
    }


def _field_schema(annotation: Any, form: Form) -> dict[str, Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is list:
        return {"type": "array", "items": _field_schema(arguments[0], form)}
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin is Union or type(None) in arguments:
        (one,) = [argument for argument in arguments if argument is not type(None)]
        return {"anyOf": [_field_schema(one, form), {"type": "null"}]}
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return _record_schema(annotation)
    return dict(_PSEUDONYM) if form != "plain" else {"type": _NUMBERS[annotation]}
