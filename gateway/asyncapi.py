"""AsyncAPI 3.0 for the streams, made from the schemas' declarations and the table of topics, as OpenAPI is from the
endpoints.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from gateway.streams.desk import SubscribeQuery
from gateway.streams.filters import PUBLIC
from gateway.streams.frames import CLOSING, HEARTBEAT, Closing, Heartbeat, StreamEvent
from gateway.streams.shapes import json_schema
from gateway.streams.subscription import DETAILS
from gateway.streams.websocket import PATH
from schemas.topics import topic_of

EVENTS_PATH = "/v1/streams/events"
_QUERY: Mapping[str, str] = {
    "types": "names of event types with commas; by default all that the grant covers",
    "sample": "the share of events, above 0 and up to 1; by default the largest that the grant covers",
    "cursor": "go on behind this, or `earliest`; by default what happens from now on",
    "compress": "`zstd` for Zstandard",
}
_ENVELOPE: Mapping[str, str] = {
    "id": "the same whenever the event comes; it may come again, at another position",
    "at": "when it happened, RFC 3339",
    "position": "its place in the log: topic/partition@offset",
    "cursor": "goes on behind this event",
}


def document(version: str, server_url: str) -> bytes:
    """The document, as JSON.

    Args:
        version: of the program.
        server_url: where clients reach it.
    """
    parts = urlsplit(server_url)
    secure = parts.scheme == "https"
    messages = {_name(event_type): _event(event_type) for event_type in PUBLIC}
    messages |= {_name(HEARTBEAT): _other(HEARTBEAT, Heartbeat), _name(CLOSING): _other(CLOSING, Closing)}
    return msgspec.json.encode(
        {
            "asyncapi": "3.0.0",
            "info": {
                "title": "photolog streams",
                "version": version,
                "description": "What is public, as it happens and from any earlier cursor. Ids are pseudonyms that hold"
                " within a grant.",
            },
            "defaultContentType": "application/json",
            "servers": {
                "websocket": _server(parts.netloc, "wss" if secure else "ws"),
                "http": _server(parts.netloc, "https" if secure else "http"),
            },
            "channels": {
                "subscribe": _channel(PATH, "websocket", "A text message for each event.", messages)
                | {"bindings": {"ws": {"method": "GET", "query": _query(), "bindingVersion": "0.1.0"}}},
                "events": _channel(EVENTS_PATH, "http", "Server-sent events, whose ids are cursors.", messages),
            },
            "operations": {
                "sendToSubscriber": _operation("subscribe"),
                "sendServerSentEvents": _operation("events")
                | {"bindings": {"http": {"method": "GET", "query": _query(), "bindingVersion": "0.3.0"}}},
            },
            "components": {
                "messages": messages,
                "securitySchemes": {
                    "grant": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "a grant's"}
                },
            },
        }
    )


def _server(host: str, protocol: str) -> dict[str, Any]:
    return {"host": host, "protocol": protocol, "security": [{"$ref": "#/components/securitySchemes/grant"}]}


def _channel(address: str, server: str, description: str, messages: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "servers": [{"$ref": f"#/servers/{server}"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }


def _operation(channel: str) -> dict[str, Any]:
    return {"action": "send", "channel": {"$ref": f"#/channels/{channel}"}}


def _query() -> dict[str, Any]:
    properties = {}
    for field in msgspec.structs.fields(SubscribeQuery):
        (schema,), _ = msgspec.json.schema_components([field.type])
        properties[field.encode_name] = {**schema, "description": _QUERY[field.encode_name]}
    return {"type": "object", "properties": properties}


def _event(event_type: str) -> dict[str, Any]:
    data = json_schema(PUBLIC[event_type])
    properties: dict[str, Any] = {"type": {"const": event_type}}
    properties |= {name: {"type": "string", "description": text} for name, text in _ENVELOPE.items()}
    return {
        "name": event_type,
        "summary": data["description"],
        "tags": [{"name": topic_of(PUBLIC[event_type]).name}],
        "payload": {
            "type": "object",
            "properties": properties | {"data": data},
            "required": list(StreamEvent.__struct_fields__),
        },
    }


def _other(name: str, message: type[msgspec.Struct]) -> dict[str, Any]:
    properties: dict[str, Any] = {field: {"type": "string"} for field in message.__struct_fields__}
    properties["type"] = {"const": name}
    if "reason" in properties:
        properties["reason"] = {"type": "string", "enum": sorted(DETAILS)}
    return {
        "name": name,
        "summary": (message.__doc__ or name).strip().split("\n")[0],
        "payload": {"type": "object", "properties": properties, "required": list(message.__struct_fields__)},
    }


def _name(event_type: str) -> str:
    """A component's name."""
    return event_type.replace(".", "_")
