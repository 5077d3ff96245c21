"""The Avro schema that an event class stands for, so that a test can hold the classes equal to the committed files."""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from schemas.events import Event, Personal

_PRIMITIVES: dict[Any, str] = {int: "long", str: "string", bool: "boolean", float: "double"}


def avro_form(event: type[Event]) -> dict[str, Any]:
    """The Avro record of an event class, as the contract writes it.

    A personal field is optional bytes (ciphertext) with its `subject`, a literal is a string, `| None` is a union
    with null first, and a field with a default is optional for readers.
    """
    namespace = f"photolog.{event.capability}"
    return {
        "type": "record",
        "name": event.__name__,
        "namespace": namespace,
        "event": event.type,
        "doc": _first_line(event),
        "fields": [_field(field, namespace) for field in msgspec.structs.fields(event)],
    }


def personal_fields(event: type[Event]) -> dict[str, str]:
    """Each personal field of an event class with the field that names its subject."""
    found = {}
    for field in msgspec.structs.fields(event):
        if get_origin(field.type) is Annotated:
            for mark in get_args(field.type)[1:]:
                if isinstance(mark, Personal):
                    found[field.name] = mark.subject
    return found


def _first_line(record: type[msgspec.Struct]) -> str:
    return (record.__doc__ or record.__name__).strip().split("\n")[0]


def _field(field: msgspec.structs.FieldInfo, namespace: str) -> dict[str, Any]:
    if get_origin(field.type) is Annotated:
        subject = next(mark.subject for mark in get_args(field.type)[1:] if isinstance(mark, Personal))
        return {"name": field.name, "type": ["null", "bytes"], "default": None, "subject": subject}
    form: dict[str, Any] = {"name": field.name, "type": _type(field.type, namespace)}
    if field.default is not msgspec.NODEFAULT:
        form["default"] = field.default
    return form


def _type(annotation: Any, namespace: str) -> Any:
    origin = get_origin(annotation)
    if annotation in _PRIMITIVES:
        return _PRIMITIVES[annotation]
    if origin is Literal:
        return "string"
    if origin in (Union, types.UnionType):
        (inner,) = [argument for argument in get_args(annotation) if argument is not type(None)]
        return ["null", _type(inner, namespace)]
    if origin is list:
        return {"type": "array", "items": _type(get_args(annotation)[0], namespace)}
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        fields = [_field(field, namespace) for field in msgspec.structs.fields(annotation)]
        return {"type": "record", "name": annotation.__name__, "namespace": namespace, "fields": fields}
    raise TypeError(f"no Avro form for {annotation!r}")
