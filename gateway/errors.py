"""The one place where errors become HTTP: RFC 9457 problem documents with a stable `type`.

A malformed request is 400, a well-formed one that breaks a rule is 422; what the caller may not know of is 404.
Whatever else is raised is our own fault: 500, without a word of its inside, and logged with its traceback.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import msgspec
from starlette.exceptions import HTTPException

from photolog import errors as e

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1
BUSY_RETRY_SECONDS = 5
_LIMITED = {
    "body-too-large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "unsupported-media-type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "upgrade-required": HTTPStatus.UPGRADE_REQUIRED,
}
_REFUSED: Mapping[type[e.Refusal], HTTPStatus] = {
    e.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    e.Forbidden: HTTPStatus.FORBIDDEN,
    e.NotFound: HTTPStatus.NOT_FOUND,
    e.Conflict: HTTPStatus.CONFLICT,
    e.Gone: HTTPStatus.GONE,
    e.Busy: HTTPStatus.SERVICE_UNAVAILABLE,
}
_UNAVAILABLE: Mapping[type[e.PhotologError], tuple[str, str]] = {
    e.LogUnavailable: ("log-unavailable", "the log did not acknowledge in time; try again with the same key"),
    e.StoreUnavailable: ("store-unavailable", "a store did not answer in time; try again"),
    e.PositionTimeout: ("position-timeout", "the answer would be older than the position that was asked for"),
}
_ROUTING = {404: ("not-found", "there is nothing here"), 405: ("method-not-allowed", "this resource has other methods")}


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem as RFC 9457 has it; `type` is stable, `field` names the offender, `correlation_id` finds our logs.

    `violated-policies` are the limits that were met, of those in `RateLimit-Policy`.
    """

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None
    correlation_id: str | None = None
    violated_policies: tuple[str, ...] | None = msgspec.field(name="violated-policies", default=None)


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, before it is written down for one request."""

    status: int
    kind: str
    detail: str
    field: str | None = None
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    policies: tuple[str, ...] = ()

    def document(self, correlation_id: str) -> bytes:
        """The JSON of the problem document."""
        return msgspec.json.encode(
            ProblemDocument(
                type=f"/problems/{self.kind}",
                title=HTTPStatus(self.status).phrase,
                status=self.status,
                detail=self.detail,
                field=self.field,
                correlation_id=correlation_id or None,
                violated_policies=self.policies or None,
            )
        )


INTERNAL = Problem(500, "internal", "something broke on our side")


def problem_of(error: Exception) -> Problem:
    """The problem that an error is to the client; `INTERNAL` for one that was not raised on purpose."""
    match error:
        case e.Refusal():
            return _refused(error)
        case e.LogUnavailable() | e.StoreUnavailable() | e.PositionTimeout():
            kind, detail = _UNAVAILABLE[type(error)]
            return Problem(503, kind, detail, headers={"retry-after": str(RETRY_AFTER_SECONDS)})
        case HTTPException(status_code=status) if status in _ROUTING:
            kind, detail = _ROUTING[status]
            return Problem(status, kind, detail, headers=error.headers or {})
    return INTERNAL


def _refused(error: e.Refusal) -> Problem:
    headers: Mapping[str, str] = {}
    policies: tuple[str, ...] = ()
    match error:
        case e.Unauthenticated():
            headers = {"www-authenticate": 'Bearer realm="photolog"'}
        case e.Busy():
            headers = {"retry-after": str(BUSY_RETRY_SECONDS)}
        case e.Limited(kind="upgrade-required"):
            headers = {"upgrade": "websocket"}
        case e.TooSoon():
            headers, policies = {"retry-after": str(error.retry_after_seconds)}, error.policies
    return Problem(_status_of(error), error.kind, error.detail, error.field, headers, policies)


def _status_of(error: e.Refusal) -> int:
    match error:
        case e.Invalid():
            return 400 if error.kind.startswith("malformed") else 422
        case e.Limited():
            return _LIMITED.get(error.kind, HTTPStatus.TOO_MANY_REQUESTS)
    return next((status for kind, status in _REFUSED.items() if isinstance(error, kind)), HTTPStatus.BAD_REQUEST)
