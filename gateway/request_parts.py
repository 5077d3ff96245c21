"""Reading a request strictly: its body, its query, its key. Whatever is not as declared is refused by name."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Receive

from photolog.errors import Invalid, Limited, PhotologError

QUERY_PARAMETERS_MAX = 16
_QUERY_BYTES_MAX = 4_096
_UNKNOWN = re.compile(r"contains unknown field `(?P<field>[^`]*)`")
_MISSING = re.compile(r"missing required field `(?P<field>[^`]*)`")
_PLACE = re.compile(r" - at (?:key in )?`\$(?P<place>[^`]*)`$")
_JSON_TYPE = re.compile(rb"application/json(?:\s*;\s*charset=\"?utf-8\"?)?", re.IGNORECASE)
_KEY = re.compile(rb"[\x21-\x7e]{1,128}")


class ClientLeft(PhotologError):
    """The client closed the connection before its request was whole."""


async def read_body(headers: Mapping[bytes, bytes], receive: Receive, bytes_max: int) -> bytes:
    """The whole body.

    Raises:
        Limited: it is longer than `bytes_max`; it is not read to its end.
        ClientLeft: it never became whole.
    """
    announced = headers.get(b"content-length", b"0")
    if not announced.isdigit() or int(announced) > bytes_max:
        raise _too_large(bytes_max)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft("the client left")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > bytes_max:
            raise _too_large(bytes_max)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def decode_body(decoder: "msgspec.json.Decoder[Any] | None", headers: Mapping[bytes, bytes], body: bytes) -> Any:
    """The typed body; None where the endpoint has none.

    Raises:
        Limited: it is not JSON by its content type.
        Invalid: it is not JSON, or not what the endpoint takes.
    """
    if decoder is None:
        if body:
            raise Invalid("unexpected-body", "this takes no body")
        return None
    if not _JSON_TYPE.fullmatch(headers.get(b"content-type", b"").strip()):
        raise Limited("unsupported-media-type", "the body must be application/json")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise invalid(error, "body") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid("malformed-json", f"the body is not JSON: {error}") from error


def decode_query(into: type[msgspec.Struct], query: bytes) -> Any:
    """The typed query parameters.

    Raises:
        Invalid: one is unknown, given twice, or of a wrong value.
    """
    if not query:
        pairs = []
    elif len(query) > _QUERY_BYTES_MAX:
        raise Invalid("malformed-query", f"the query is longer than {_QUERY_BYTES_MAX} bytes")
    else:
        pairs = _pairs(query)
    try:
        return msgspec.convert(dict(pairs), into, strict=False)
    except msgspec.ValidationError as error:
        raise invalid(error, "query") from error


def idempotency_key(headers: Mapping[bytes, bytes]) -> str | None:
    """The request's Idempotency-Key.

    Raises:
        Invalid: it is not 1 to 128 visible ASCII characters.
    """
    key = headers.get(b"idempotency-key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise Invalid("malformed-idempotency-key", "a key is 1 to 128 visible ASCII characters", "Idempotency-Key")
    return key.decode()


def invalid(error: msgspec.ValidationError, part: str) -> Invalid:
    """What msgspec found, as a refusal that names the field by its path, such as `media[0].alt_text`."""
    text = str(error)
    place = _PLACE.search(text)
    path = place["place"] if place else ""
    detail = text[: place.start()] if place else text
    named = _UNKNOWN.search(detail) or _MISSING.search(detail)
    if named:
        path = f"{path}.{named['field']}"
    return Invalid(f"invalid-{part}", detail, path.lstrip(".") or None)


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=QUERY_PARAMETERS_MAX
        )
    except ValueError as error:
        raise Invalid("malformed-query", "the query is malformed or has too many parameters") from error
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise Invalid("malformed-query", "a parameter is given twice", name)
        seen.add(name)
    return pairs


def _too_large(bytes_max: int) -> Limited:
    return Limited("body-too-large", f"the body is larger than {bytes_max} bytes")
