"""The schema registry: registration at migration, one look-up of all ids when a process starts.

Subjects follow the topic-record-name strategy, because a topic carries several event types. Compatibility is
FULL_TRANSITIVE: old readers read new events, and new readers read the whole log.
"""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx

with warnings.catch_warnings():
    # Confluent's client imports authlib, which then warns of an HTTP client that neither of us uses. Whoever else needs
    # these names takes them from here. It first lets all its warnings through.
    import authlib.deprecate  # noqa: F401

    warnings.filterwarnings("ignore", message="The httpx module is deprecated")
    from confluent_kafka.schema_registry import Schema as Schema
    from confluent_kafka.schema_registry import SchemaRegistryClient as SchemaRegistryClient
    from confluent_kafka.schema_registry.error import SchemaRegistryError

from photolog.errors import StoreUnavailable
from photolog.settings import RegistrySettings
from schemas.events import Event
from schemas.serde import SCHEMAS, Serde

COMPATIBILITY = "FULL_TRANSITIVE"
_NOT_FOUND = 404
_TRIES = 20
_PAUSE_SECONDS = 0.5
T = TypeVar("T")


def registry_client(settings: RegistrySettings) -> SchemaRegistryClient:
    """Confluent's own client."""
    config: dict[str, Any] = {"url": settings.url}
    if settings.username is not None and settings.password is not None:
        config["basic.auth.user.info"] = f"{settings.username}:{settings.password.get_secret_value()}"
    if settings.ssl_ca_location is not None:
        config["ssl.ca.location"] = settings.ssl_ca_location
    return SchemaRegistryClient(config)


def register_all(settings: RegistrySettings) -> dict[type[Event], int]:
    """Register every schema under its subject and hold each subject to `COMPATIBILITY`.

    Raises:
        SchemaRegistryError: the registry refuses one, above all because it is not compatible.
    """
    client = registry_client(settings)
    client.set_compatibility(level=COMPATIBILITY)
    ids = {}
    for event, schema in SCHEMAS.items():
        ids[event] = client.register_schema(schema.subject, Schema(schema.text, "AVRO"))
        client.set_compatibility(schema.subject, COMPATIBILITY)
    return ids


def load_serde(settings: RegistrySettings) -> Serde:
    """The codec with all known ids, looked up once; an unknown id is fetched when a record first shows it.

    Raises:
        StoreUnavailable: the registry did not answer within about ten seconds.
    """
    with registry_client(settings) as client:
        ids = _ids(client)
    return Serde(ids, lambda schema_id: _text(settings, schema_id))


def _ids(client: SchemaRegistryClient) -> dict[type[Event], int]:
    for attempt in range(_TRIES):
        try:
            return {event: _id(client, event) for event in SCHEMAS}
        except (SchemaRegistryError, httpx.HTTPError) as error:
            if attempt == _TRIES - 1:
                raise StoreUnavailable(f"the registry does not know every schema of ours: {error}") from error
            time.sleep(_PAUSE_SECONDS)
    raise AssertionError("unreachable")


def _id(client: SchemaRegistryClient, event: type[Event]) -> int:
    schema = SCHEMAS[event]
    found = client.lookup_schema(schema.subject, Schema(schema.text, "AVRO")).schema_id
    if found is None:
        raise StoreUnavailable(f"the registry gave no id for {schema.subject}")
    return int(found)


def _text(settings: RegistrySettings, schema_id: int) -> str | None:
    """Asked so seldom that a connection is not kept for it."""
    with asked(settings) as client:
        schema = found(lambda: client.get_schema(schema_id))
        return None if schema is None else schema.schema_str


@contextmanager
def asked(settings: RegistrySettings) -> Iterator[SchemaRegistryClient]:
    """The client for a few questions. Raises StoreUnavailable where the registry does not answer, or refuses one."""
    try:
        with registry_client(settings) as client:
            yield client
    except SchemaRegistryError as error:
        raise StoreUnavailable(f"registry: {error}") from error
    except httpx.HTTPError as error:
        raise StoreUnavailable(f"registry: {error!r}") from error


def found(question: Callable[[], T]) -> T | None:
    """What the registry answers; None where it has no such thing."""
    try:
        return question()
    except SchemaRegistryError as error:
        if error.http_status_code == _NOT_FOUND or error.error_code // 100 == _NOT_FOUND:
            return None
        raise
