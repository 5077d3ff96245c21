"""OpenAPI 3.1, made from the endpoints and from the very types that validate requests."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, get_args

import msgspec

from gateway.endpoint import Endpoint, NoQuery
from gateway.errors import MEDIA_TYPE, ProblemDocument
from photolog.positions import HEADER

_REFERENCE = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"\{([a-z_]+)\}")
_NAMELESS = re.compile(r"[^a-z0-9]+")
_POSITION_FORM = "topic/partition@offset, several joined by commas"
_LIMITS = {
    "RateLimit-Policy": {"$ref": "#/components/headers/RateLimitPolicy"},
    "RateLimit": {"$ref": "#/components/headers/RateLimit"},
}
_RETRY = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}
_PROBLEMS = {
    "400": "The request is malformed",
    "401": "No valid token",
    "403": "The caller may not do this",
    "404": "It does not exist, or the caller may not know that it does",
    "408": "The request did not come to its end in time",
    "409": "It contradicts what is there",
    "410": "It was there, and is kept no more",
    "413": "The body is too large",
    "414": "The address is too long",
    "415": "The body is not JSON",
    "422": "A value breaks a rule, or the Idempotency-Key was used for another request",
    "426": "It is a WebSocket",
    "429": "Too many such requests by this caller or from this address; `Retry-After` says when to try again",
    "431": "The headers are too many, or too large together",
    "503": "The log, a store or a read model is behind or away; try again",
}


def document(endpoints: Sequence[Endpoint], version: str, server_url: str) -> bytes:
    """The document, as JSON.

    Args:
        endpoints: the whole surface.
        version: of the program.
        server_url: where clients reach it.
    """
    types = list(_types(endpoints))
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    schema_of = dict(zip(map(repr, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schema_of)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "photolog", "version": version, "summary": "A photo network kept as one log."},
            "servers": [{"url": server_url}],
            "paths": paths,
            "components": {
                "schemas": components,
                "securitySchemes": {
                    "account": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                    "operator": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                    "grant": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                },
                "headers": _shared_headers(),
                "responses": {status: _problem(status, text, schema_of) for status, text in _PROBLEMS.items()},
                "parameters": _shared_parameters(),
            },
        }
    )


def _types(endpoints: Iterable[Endpoint]) -> Iterable[Any]:
    found: dict[str, Any] = {repr(ProblemDocument): ProblemDocument}
    for endpoint in endpoints:
        for kind in (endpoint.body, endpoint.response, endpoint.query):
            if kind is not None and kind is not NoQuery:
                found[repr(kind)] = kind
    return found.values()


def _operation(endpoint: Endpoint, schema_of: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.method.lower()}_{_NAMELESS.sub('_', endpoint.path).strip('_')}",
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "parameters": _parameters(endpoint),
        "responses": _responses(endpoint, schema_of),
        "security": _security(endpoint),
    }
    if endpoint.body is not None:
        content = {"application/json": {"schema": schema_of[repr(endpoint.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    path = [
        {"name": name, "in": "path", "required": True, "schema": _path_schema(name)}
        for name in _PARAMETER.findall(endpoint.path)
    ]
    query = [_query_parameter(field) for field in msgspec.structs.fields(endpoint.query)]
    shared = ["Position", "RequestId"] if endpoint.method == "GET" else ["IdempotencyKey", "Position", "RequestId"]
    return [*path, *query, *({"$ref": f"#/components/parameters/{name}"} for name in shared)]


def _path_schema(name: str) -> dict[str, Any]:
    return {"type": "string", "pattern": "^[0-9]{1,19}$"} if name.endswith("_id") else {"type": "string"}


def _query_parameter(field: msgspec.structs.FieldInfo) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components([field.type], ref_template=_REFERENCE)
    optional = type(None) in get_args(field.type) or not field.required
    if not field.required and field.default not in (msgspec.NODEFAULT, None):
        schema = {**schema, "default": field.default}
    return {"name": field.encode_name, "in": "query", "required": not optional, "schema": schema}


def _responses(endpoint: Endpoint, schema_of: dict[str, Any]) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "description": endpoint.summary,
        "headers": {HEADER: {"$ref": "#/components/headers/Position"}, **_LIMITS},
    }
    if endpoint.media_type is not None:
        usual = {"description": endpoint.summary, "headers": dict(_LIMITS)}
        usual["content"] = {endpoint.media_type: {"schema": {"type": "string"}}}
    if endpoint.response is not None:
        usual["content"] = {"application/json": {"schema": schema_of[repr(endpoint.response)]}}
    problems = {"400", "408", "414", "422", "429", "431", "503"}
    problems |= {"404"} if "{" in endpoint.path or endpoint.body_names else set()
    problems |= {"413", "415"} if endpoint.body is not None else set()
    problems |= {"401", "403"} if endpoint.auth != "none" else set()
    problems |= {"409"} if endpoint.method != "GET" else set()
    problems |= {str(status) for status in endpoint.problems}
    return {
        str(endpoint.status): usual,
        **{status: {"$ref": f"#/components/responses/{status}"} for status in sorted(problems)},
    }


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    match endpoint.auth:
        case "none":
            return []
        case "optional":
            return [{}, {"account": []}]
        case "any":
            return [{"account": []}, {"operator": []}]
        case scheme:
            return [{scheme: []}]


def _problem(status: str, text: str, schema_of: dict[str, Any]) -> dict[str, Any]:
    problem: dict[str, Any] = {
        "description": text,
        "content": {MEDIA_TYPE: {"schema": schema_of[repr(ProblemDocument)]}},
    }
    match status:
        case "429":
            problem["headers"] = {**_LIMITS, **_RETRY}
        case "503":
            problem["headers"] = _RETRY
    return problem


def _shared_headers() -> dict[str, Any]:
    described = {
        "Position": f"What the answer covers or appended: {_POSITION_FORM}",
        "RateLimitPolicy": 'The limits that hold here, such as `"read";q=600;w=60`: a burst of 600, back in 60 seconds',
        "RateLimit": 'What is left, such as `"read";r=599;t=60`: use no more than 599 in the next 60 seconds',
    }
    headers: dict[str, Any] = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in described.items()
    }
    headers["RetryAfter"] = {"description": "Seconds until it may be tried again", "schema": {"type": "integer"}}
    return headers


def _shared_parameters() -> dict[str, Any]:
    return {
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Drawn once per command; a retry under it changes nothing more and is answered alike",
            "schema": {"type": "string", "minLength": 1, "maxLength": 128},
        },
        "Position": {
            "name": HEADER,
            "in": "header",
            "description": f"The answer is to cover this, or it is 503: {_POSITION_FORM}",
            "schema": {"type": "string"},
        },
        "RequestId": {
            "name": "X-Request-Id",
            "in": "header",
            "description": "A correlation id of the caller's own; it comes back, and is in our logs and events",
            "schema": {"type": "string", "minLength": 8, "maxLength": 128},
        },
    }
