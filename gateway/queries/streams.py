"""Streams for analysts: what there is, with its dictionary; and subscribing by server-sent events.

The same over a WebSocket is gateway/streams/websocket.py. Neither takes an account's token: a grant opens them, and
nothing else.
"""

from functools import cache, partial
from typing import Any

import msgspec

from gateway.endpoint import Answer, Call, Endpoint
from gateway.services import Services
from gateway.streams.desk import SubscribeQuery
from gateway.streams.filters import PUBLIC
from gateway.streams.shapes import json_schema
from gateway.streams.websocket import PATH
from gateway.streams.wire import SSE_TYPE, serve_events
from photolog.errors import Limited
from schemas.avro_form import shown_fields
from schemas.events import Form
from schemas.topics import FOREVER_MS, topic_of

_MEDIA = SSE_TYPE.decode()


class StreamField(msgspec.Struct, frozen=True, kw_only=True):
    """A field of an event's data. `form` is `plain`, or of what it is a pseudonym."""

    name: str
    form: Form
    meaning: str


class StreamType(msgspec.Struct, frozen=True, kw_only=True):
    """A public event type: `data_schema` is the JSON Schema of its data; `retention_seconds` is null for ever."""

    type: str
    topic: str
    meaning: str
    retention_seconds: int | None
    fields: list[StreamField]
    data_schema: dict[str, Any]


class StreamTypes(msgspec.Struct, frozen=True, kw_only=True):
    """All public event types."""

    types: list[StreamType]


async def types(services: Services, call: Call) -> Answer:
    """What may be subscribed to. It is the same for everybody, as /asyncapi.json is."""
    return Answer(_types(), headers={"cache-control": "public, max-age=300"})


async def events(services: Services, call: Call) -> Answer:
    """Subscribe by server-sent events; `Last-Event-ID` goes on where a connection was lost."""
    desk, query = services.streams, call.query
    opened = await desk.open(call.grant_row, query, call.headers.get("last-event-id"))
    return Answer(stream=partial(serve_events, desk, opened, query.compress == "zstd"))


async def subscribe(services: Services, call: Call) -> Answer:
    """Subscribe over a WebSocket; without one, by server-sent events where these are accepted."""
    if _MEDIA in call.headers.get("accept", ""):
        return await events(services, call)
    raise Limited("upgrade-required", f"this is a WebSocket; for server-sent events accept {_MEDIA}")


@cache
def _types() -> StreamTypes:
    return StreamTypes(
        types=[
            StreamType(
                type=name,
                topic=topic_of(event).name,
                meaning=json_schema(event)["description"],
                retention_seconds=_retention_seconds(topic_of(event).retention_ms),
                fields=[
                    StreamField(name=field, form=mark.form, meaning=mark.meaning)
                    for field, mark in shown_fields(event).items()
                ],
                data_schema=json_schema(event),
            )
            for name, event in PUBLIC.items()
        ]
    )


def _retention_seconds(retention_ms: int) -> int | None:
    return None if retention_ms == FOREVER_MS else retention_ms // 1_000


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/streams", types, "List public event types", "streams", auth="none", response=StreamTypes),
    Endpoint(
        "GET",
        "/v1/streams/events",
        events,
        "Subscribe by server-sent events",
        "streams",
        auth="grant",
        query=SubscribeQuery,
        problems=(409, 410),
        media_type=_MEDIA,
    ),
    Endpoint(
        "GET",
        PATH,
        subscribe,
        "Subscribe over a WebSocket, as /asyncapi.json tells, or by server-sent events",
        "streams",
        auth="grant",
        query=SubscribeQuery,
        problems=(409, 410, 426),
        media_type=_MEDIA,
    ),
)
