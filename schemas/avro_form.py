"""The Avro schema that an event class stands for, so that a test can hold the classes equal to the committed files."""

import types
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from schemas.events import Event, Personal, Shown

M = TypeVar("M")
_PRIMITIVES: dict[Any, str] = {int: "long", str: "string", bool: "boolean", float: "double"}


def avro_form(event: type[Event]) -> dict[str, Any]:
    """The Avro record of an event class, as the contract writes it.

    A personal field is optional bytes (ciphertext) with its `subject`, a literal is a string, `| None` is a union
    with null first, and a field with a default is optional for readers. What analysts get says so in `analysts`: true
    for an event, its form for a field, whose `doc` then is its meaning.
    """
    namespace = f"photolog.{event.capability}"
    form = {
        "type": "record",
        "name": event.__name__,
        "namespace": namespace,
        "event": event.type,
        "doc": _first_line(event),
        "fields": [_field(field, namespace) for field in msgspec.structs.fields(event)],
    }
    return {**form, "analysts": True} if event.analysts else form


def personal_fields(event: type[Event]) -> dict[str, str]:
    """Each personal field of an event class with the field that names its subject."""
    found = {}
    for field in msgspec.structs.fields(event):
        personal = _mark(field.type, Personal)
        if personal is not None:
            found[field.name] = personal.subject
    return found


def shown_fields(record: type[msgspec.Struct]) -> dict[str, Shown]:
    """Each field of an event class, or of a record within one, that analysts get."""
    marks = {field.name: _mark(field.type, Shown) for field in msgspec.structs.fields(record)}
    return {name: mark for name, mark in marks.items() if mark is not None}


def plain_type(annotation: Any) -> Any:
    """A field's type without its marks."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _mark(annotation: Any, kind: type[M]) -> M | None:
    marks = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return next((mark for mark in marks if isinstance(mark, kind)), None)


def _first_line(record: type[msgspec.Struct]) -> str:
    return (record.__doc__ or record.__name__).strip().split("\n")[0]


def _field(field: msgspec.structs.FieldInfo, namespace: str) -> dict[str, Any]:
    personal, shown = _mark(field.type, Personal), _mark(field.type, Shown)
    if personal is not None:
        if shown is not None:
            raise TypeError(f"{field.name} is personal, so nobody is shown it")
        return {"name": field.name, "type": ["null", "bytes"], "default": None, "subject": personal.subject}
    form: dict[str, Any] = {"name": field.name, "type": _type(plain_type(field.type), namespace)}
    if field.default is not msgspec.NODEFAULT:
        form["default"] = field.default
    elif field.default_factory is not msgspec.NODEFAULT:
        form["default"] = field.default_factory()
    return {**form, "doc": shown.meaning, "analysts": shown.form} if shown is not None else form


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
