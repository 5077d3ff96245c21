"""An event type for people to read: its fields, their types, and whose personal data they are."""

import inspect
import json
import re
from difflib import get_close_matches
from typing import Any

import msgspec

from photolog.errors import NotFound
from schemas.serde import SCHEMAS, EventSchema


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field of an event.

    Args:
        name: its name; a part of a nested record stands behind a dot, `[]` marks a list.
        type: its Avro type; for a personal field that of the ciphertext.
        plain: the type of a personal field once it is opened.
        default: what readers of older events see, as JSON; None where every event has the field.
        subject: the field that names the account whose personal data it is; None for one that is not personal.
        doc: what the schema says about it.
    """

    name: str
    type: str
    plain: str | None = None
    default: str | None = None
    subject: str | None = None
    doc: str = ""


def schema_named(name: str) -> EventSchema:
    """The schema of an event type.

    Args:
        name: the event's type (`post.created`), its record's name (`PostCreated`) or the registry's subject.

    Raises:
        NotFound: there is no such event.
    """
    names = {
        known: schema
        for event, schema in SCHEMAS.items()
        for known in (event.type, event.__name__, schema.subject, f"photolog.{event.capability}.{event.__name__}")
    }
    if name in names:
        return names[name]
    near = get_close_matches(name, names, n=3)
    raise NotFound(
        "no-such-event", f"there is no event {name}" + (f"; did you mean {', '.join(near)}?" if near else "")
    )


def described(schema: EventSchema) -> str:
    """What the code says about an event type, beyond its fields; may be empty."""
    own = schema.event.__doc__
    return inspect.cleandoc(own) if own else ""


def fields(schema: EventSchema) -> list[Field]:
    """The fields of an event type, those of nested records behind the field that holds them."""
    found: list[Field] = []
    for form in json.loads(schema.text)["fields"]:
        plain = schema.personal_types.get(form["name"])
        found += _fields(form, "", None if plain is None else _plain(plain))
    return found


def _plain(annotation: Any) -> str:
    """An annotation as the classes write it, without the mark."""
    return re.sub(r"schemas\.events\.[a-z]+\.", "", str(getattr(annotation, "__origin__", annotation)))


def _fields(form: dict[str, Any], path: str, plain: str | None = None) -> list[Field]:
    name = path + form["name"]
    own = Field(
        name=name,
        type=_type(form["type"]),
        plain=plain,
        default=json.dumps(form["default"]) if "default" in form else None,
        subject=form.get("subject"),
        doc=form.get("doc", ""),
    )
    inner, mark = form["type"], ""
    if isinstance(inner, list):
        inner = next((branch for branch in inner if branch != "null"), inner)
    if isinstance(inner, dict) and inner["type"] == "array":
        inner, mark = inner["items"], "[]"
    nested = inner.get("fields", ()) if isinstance(inner, dict) else ()
    return [own, *(one for part in nested for one in _fields(part, f"{name}{mark}."))]


def _type(form: Any) -> str:
    if isinstance(form, list):
        return " | ".join(_type(branch) for branch in form)
    if isinstance(form, dict):
        return f"array of {_type(form['items'])}" if form["type"] == "array" else str(form.get("name", form["type"]))
    return str(form)
