"""Upcasters: what an old version of an event meant, said in the words of the next one.

Avro's own resolution is enough where a version only grew. Where a field's meaning moved, it would hand on words that
mean something else by now; then a pure function takes the values of one version to those of the next. A record goes
through every one that lies between its own version and the current one.

An upcaster leaves personal fields as they are: they are still sealed, each for its own place.
"""

import io
from collections.abc import Callable, Mapping
from typing import Any, get_args

import fastavro

from schemas import events as e
from schemas.versions import Form, kept_forms, version_of

Values = dict[str, Any]
Upcaster = Callable[[Values], Values]
"""Pure: the values of a version, in; the whole values of the next one, out."""
Upcasters = Mapping[type[e.Event], Mapping[int, Upcaster]]


def _suspended_by_a_rule(values: Values) -> Values:
    """Version 1 had an operator's free words as the reason; since version 2 that is a rule, and the words a note."""
    said: str = values["reason"]
    rule = said.partition(":")[0].strip().lower().replace(" ", "_").replace("-", "_")
    known = rule in get_args(e.HouseRule)
    note = "" if known and said.strip().lower().replace(" ", "_").replace("-", "_") == rule else said
    return {**values, "reason": rule if known else "other", "note": note}


UPCASTERS: Upcasters = {
    e.AccountSuspended: {1: _suspended_by_a_rule},
}
"""For each event the upcaster of each version that has one."""


class OldVersion:
    """A version that has upcasters ahead of it.

    Args:
        forms: all versions of the event's schema, the first one first.
        upcasters: the event's upcasters by the version that each begins from.
        number: the version, from 1.
    """

    def __init__(self, forms: tuple[Form, ...], upcasters: Mapping[int, Upcaster], number: int) -> None:
        ahead = sorted(begin for begin in upcasters if number <= begin < len(forms))
        self._parsed = {
            version: fastavro.parse_schema(forms[version - 1])
            for version in {*ahead, *(begin + 1 for begin in ahead), len(forms)}
        }
        ends = [*ahead[1:], len(forms)]
        self._steps = [(upcasters[begin], begin + 1, end) for begin, end in zip(ahead, ends, strict=True)]
        self.reader: Any = self._parsed[ahead[0]]
        """The schema that a record of this version is to be read with: that of its first upcaster."""

    def current(self, values: Values) -> Values:
        """The values in the current version. Raises whatever values lead to that an upcaster did not foresee."""
        for upcast, begin, end in self._steps:
            values = upcast(values)
            if begin != end:
                values = self._resolved(values, begin, end)
        return values

    def _resolved(self, values: Values, begin: int, end: int) -> Values:
        """By Avro's own rules: from one version to a later one that only grew."""
        buffer = io.BytesIO()
        fastavro.schemaless_writer(buffer, self._parsed[begin], values)
        buffer.seek(0)
        resolved: Any = fastavro.schemaless_reader(buffer, self._parsed[begin], self._parsed[end])
        return dict(resolved)


def old_version(event: type[e.Event], text: str, upcasters: Upcasters = UPCASTERS) -> OldVersion | None:
    """How records that were written with a schema become current ones; None where Avro's resolution is all it takes.

    Args:
        event: the event type.
        text: the writer's schema.
        upcasters: those there are.
    """
    known = upcasters.get(event, {})
    number = version_of(event, text) if known else None
    if number is None or all(begin < number for begin in known):
        return None
    return OldVersion(kept_forms(event), known, number)
