"""What the registry holds of our subjects, and what it says to a changed schema."""

import json

import msgspec

from photolog.settings import RegistrySettings
from schemas.registry import Schema, SchemaRegistryClient, asked, found
from schemas.serde import SCHEMAS, EventSchema
from schemas.versions import Form


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A subject of ours.

    Args:
        subject: its name in the registry.
        event: the event type.
        topic: the topic that carries it.
        schema_id: the id that records of this version carry; None where the registry does not have this version.
        version: its number in the subject.
        versions: how many the subject has.
        compatibility: what the registry demands of the next one.
        personal: the fields that are sealed.
    """

    subject: str
    event: str
    topic: str
    schema_id: int | None
    version: int | None
    versions: int
    compatibility: str | None
    personal: list[str]


def subjects(settings: RegistrySettings) -> list[Subject]:
    """Every subject of ours, in the order of the topics. Raises StoreUnavailable."""
    with asked(settings) as client:
        return [_subject(client, schema) for schema in SCHEMAS.values()]


def registered_forms(settings: RegistrySettings, subject: str) -> list[tuple[int, Form]]:
    """Number and form of each version of a subject that the registry has. Raises StoreUnavailable."""
    with asked(settings) as client:
        numbers = found(lambda: client.get_versions(subject)) or []
        versions = [client.get_version(subject, number) for number in numbers]
    return [(version.version or 0, json.loads(version.schema.schema_str or "{}")) for version in versions]


def is_accepted(settings: RegistrySettings, subject: str, text: str) -> bool:
    """Whether the registry would take a schema as the subject's next version. Raises StoreUnavailable."""
    with asked(settings) as client:
        return client.test_compatibility_all_versions(subject, Schema(text, "AVRO"))


def _subject(client: SchemaRegistryClient, schema: EventSchema) -> Subject:
    there = found(lambda: client.lookup_schema(schema.subject, Schema(schema.text, "AVRO")))
    return Subject(
        subject=schema.subject,
        event=schema.event.type,
        topic=schema.topic.name,
        schema_id=there.schema_id if there else None,
        version=there.version if there else None,
        versions=len(found(lambda: client.get_versions(schema.subject)) or ()),
        compatibility=found(lambda: client.get_compatibility(schema.subject)),
        personal=sorted(schema.personal),
    )
