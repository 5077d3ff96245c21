"""The registry's part of a backup: every version of every subject, and the id that records carry for it.

Records name their writer's schema by its id, so a registry that gives it another id makes the log unreadable. A fresh
registry numbers what it is given from 1 on. So the versions are registered in the order of their ids, and where an
id is missing in between, because it was somebody else's or nobody's, a filler takes it, which stays there.
"""

import json
from collections.abc import Sequence
from typing import Protocol

from backup.manifest import SchemaVersion
from photolog.errors import Conflict
from photolog.settings import RegistrySettings
from schemas.registry import Schema, asked, found
from schemas.serde import SCHEMAS

FILLERS_MAX = 10_000
_FILLER = "photolog-filler"


class Registry(Protocol):
    """The registry (`HttpRegistry`), or a dictionary in tests. Every call may raise StoreUnavailable."""

    def versions(self) -> list[SchemaVersion]:
        """Every version of every subject of ours."""

    def text(self, schema_id: int) -> str | None:
        """What an id means; None for none."""

    def register(self, subject: str, text: str) -> int:
        """Register a version; its id. The same text again has the same one."""


class HttpRegistry:
    """See `Registry`.

    Args:
        settings: where it is.
    """

    def __init__(self, settings: RegistrySettings) -> None:
        self._settings = settings

    def versions(self) -> list[SchemaVersion]:
        with asked(self._settings) as client:
            subjects = [schema.subject for schema in SCHEMAS.values()]
            answers = [
                client.get_version(subject, number)
                for subject in subjects
                for number in found(lambda subject=subject: client.get_versions(subject)) or ()  # type: ignore[misc]
            ]
        told = [
            SchemaVersion(one.subject or "", one.version or 0, one.schema_id or 0, one.schema.schema_str or "")
            for one in answers
        ]
        return sorted(told, key=lambda one: (one.schema_id, one.subject))

    def text(self, schema_id: int) -> str | None:
        with asked(self._settings) as client:
            schema = found(lambda: client.get_schema(schema_id))
            return None if schema is None else schema.schema_str

    def register(self, subject: str, text: str) -> int:
        with asked(self._settings) as client:
            return client.register_schema(subject, Schema(text, "AVRO"))


def restore_ids(registry: Registry, versions: Sequence[SchemaVersion]) -> int:
    """Have every id mean what it meant; how many versions were registered. Doing it again changes nothing.

    Args:
        registry: a fresh one, or the one that the log was written with.
        versions: in the order of their ids.

    Raises:
        Conflict: the registry has given an id to something else.
        StoreUnavailable: do it again.
    """
    there = {(one.subject, one.schema_id) for one in registry.versions()}
    missing = [one for one in _in_order(versions) if (one.subject, one.schema_id) not in there]
    for one in missing:
        _register(registry, one)
    for one in versions:
        if not _means(registry.text(one.schema_id), one.text):
            raise _taken(one)
    return len(missing)


def _in_order(versions: Sequence[SchemaVersion]) -> list[SchemaVersion]:
    """By their ids. Subjects that share a text, and so an id, come behind all: asking for it may use up another."""
    firsts = {one.schema_id: one for one in reversed(versions)}
    others = [one for one in versions if firsts[one.schema_id] is not one]
    return [*(firsts[schema_id] for schema_id in sorted(firsts)), *others]


def _register(registry: Registry, wanted: SchemaVersion) -> None:
    there = registry.text(wanted.schema_id)
    if there is None:
        _fill(registry, wanted)
    elif not _means(there, wanted.text):
        raise _taken(wanted)
    if registry.register(wanted.subject, wanted.text) != wanted.schema_id:
        raise _taken(wanted)


def _fill(registry: Registry, wanted: SchemaVersion) -> None:
    """Use up the ids below one that is wanted."""
    below = wanted.schema_id - 1
    if below == 0 or registry.text(below) is not None:
        return
    for number in range(1, FILLERS_MAX + 1):
        # Each is another schema: the same one again has the same id.
        name = f"{_FILLER}-{wanted.schema_id}-{number}"
        text = json.dumps({"type": "record", "name": name.replace("-", "_"), "fields": []})
        schema_id = registry.register(name, text)
        if schema_id == below:
            return
        if schema_id > below:
            break
    raise _taken(wanted)


def _means(there: str | None, wanted: str) -> bool:
    return there is not None and json.loads(there) == json.loads(wanted)


def _taken(wanted: SchemaVersion) -> Conflict:
    return Conflict(
        "schema-id-taken",
        f"records carry id {wanted.schema_id} for {wanted.subject}, version {wanted.version}, and the registry gives "
        "that id to something else or gives others: point the settings at an empty registry, or at that of the log",
    )
