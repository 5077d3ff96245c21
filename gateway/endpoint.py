"""The shape of the gateway's surface: an endpoint as data, the call it gets, and what its handler gives back.

A capability's module is a tuple of endpoints. Everything else about HTTP (tokens, bodies, idempotency, positions,
problems, documentation) is done once, from this data.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import msgspec
from starlette.types import Receive, Scope, Send

from gateway.vault.port import GrantRow
from photolog.errors import Forbidden, NotFound, Unauthenticated
from schemas.events import Event

if TYPE_CHECKING:
    from gateway.services import Services

PAGE_MAX = 100
RateClass = Literal["read", "media", "write", "graph", "comment", "upload", "telemetry", "login", "refresh", "signup"]
"""What a request counts as where the number of requests is limited; each has a setting, `rate_…`."""
ID_DIGITS_MAX = 19
_ID_MAX = (1 << 63) - 1


IdText = Annotated[str, msgspec.Meta(pattern="^[0-9]{1,19}$")]
"""An id in a body."""


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a request's JSON body derives from: a field that is not named here is refused."""


class ListQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query parameters of every list."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=PAGE_MAX)] = 20
    cursor: Annotated[str, msgspec.Meta(max_length=512)] | None = None


class NoQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An endpoint without query parameters."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request whose token, path, query and body were checked.

    Args:
        path: the path's parameters, by name.
        body: the decoded body, of the endpoint's `body` type; None where it has none.
        query: the decoded query parameters, of the endpoint's `query` type.
        viewer_id: the account that calls; None for an anonymous caller and for an operator.
        session_id: the session of its token.
        role: what the token allows.
        grant: the grant that the token is of, where `role` is `grant`.
        operator: the operator's name, where `role` is `operator`.
        headers: request headers, names in lower case.
        address: a digest of the client's address, to tell one from another.
    """

    path: Mapping[str, str]
    body: Any = None
    query: Any = None
    viewer_id: int | None = None
    session_id: int | None = None
    role: Literal["anonymous", "account", "operator", "grant"] = "anonymous"
    operator: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    grant: GrantRow | None = None

    @property
    def grant_row(self) -> GrantRow:
        """The grant that calls. Raises Unauthenticated where none does."""
        if self.grant is None:
            raise Unauthenticated("unauthenticated", "this needs a grant's token")
        return self.grant

    @property
    def viewer(self) -> int:
        """The account that calls.

        Raises:
            Unauthenticated: nobody, or an operator, calls.
        """
        if self.viewer_id is None:
            raise Unauthenticated("unauthenticated", "this needs the access token of an account")
        return self.viewer_id

    @property
    def operator_name(self) -> str:
        """The operator that calls. Raises Forbidden where none does."""
        if self.operator is None:
            raise Forbidden("forbidden", "this needs an operator's token")
        return self.operator

    def id(self, name: str) -> int:
        """An id in the path.

        Raises:
            NotFound: it is not a number, so nothing has it.
        """
        return parse_id(self.path[name])


def parse_id(text: str) -> int:
    """An id from its JSON or path form.

    Raises:
        NotFound: it is no id, so nothing has it.
    """
    if text.isascii() and text.isdigit() and len(text) <= ID_DIGITS_MAX and int(text) <= _ID_MAX:
        return int(text)
    raise NotFound("not-found", "there is nothing here")


@dataclass(frozen=True, slots=True)
class Command:
    """What a command's handler decided: events to append, and what to answer once they are acknowledged.

    Args:
        events: the facts, appended in order. Empty where the command changes nothing (it is answered all the same).
        answer: ids and states only, never personal data or secrets: it is stored for retries.
        status: of the answer; 204 where there is no answer.
        wait_for: projections that must have applied the events before the answer is given.
        event_ids: an id for each event, where the handler drew them itself; otherwise they are drawn here.
        acknowledged: runs after the log acknowledged; a retry that finds the reservation does not run it.
    """

    events: tuple[Event, ...]
    answer: msgspec.Struct | None = None
    status: int = 200
    wait_for: tuple[str, ...] = ()
    event_ids: tuple[UUID, ...] = ()
    acknowledged: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query's handler found.

    Args:
        body: anything msgspec encodes, or `msgspec.Raw` that is JSON already; None for an empty answer.
        status: the HTTP status.
        headers: further headers.
        etag: whether a validator is made of the body, so that an unchanged one costs the client no bytes.
        stream: sends the answer itself, in place of all the others.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: bool = False
    stream: Callable[[Scope, Receive, Send], Awaitable[None]] | None = None


Handler = Callable[["Services", Call], Awaitable[Command | Answer]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one resource.

    Args:
        method: GET, POST, PUT, PATCH or DELETE.
        path: with `{name}` for its parameters.
        handler: decides or finds; it gets nothing of HTTP.
        summary: one line for the documentation.
        tag: the capability, for the documentation.
        auth: `none` takes no token, `optional` takes one if given, `account` needs one, `operator` needs an
            operator's, `any` takes either of these two, `grant` needs an analyst's.
        body: what the JSON body must be.
        query: what the query parameters must be.
        response: what the answer's JSON is, for the documentation.
        status: the usual status, for the documentation.
        models: read models that a `Photolog-Position` of the request waits for.
        erases: whether it is the one command that an account marked as erased may repeat: the one that marks it.
        body_names: whether its body names something that may not be there.
        observes: whether its events are telemetry. They are not kept for retries, because a repeat has the same event
            ids, and the answer does not say where they landed, because that would tell what the viewer may see.
        rate: what it counts as where requests are limited; None stands for `read` or `write`, by its method.
        problems: statuses of problems that the rest does not let expect, for the documentation.
        media_type: of a usual answer that is a stream, for the documentation; None for JSON.
        waits_seconds: how much longer than others it may take, because its handler waits for something to happen.
        retried: decides in place of `handler` for a retry under an idempotency key, under the first attempt's event
            ids: what was stamped by another's privacy must not be appended a day later. It refuses nothing, as the
            first attempt may stand in the log; if it does, the log's readers pass the second over.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    auth: Literal["none", "optional", "account", "operator", "any", "grant"] = "account"
    body: type[msgspec.Struct] | None = None
    query: type[msgspec.Struct] = NoQuery
    response: Any = None
    status: int = 200
    models: tuple[str, ...] = ()
    erases: bool = False
    body_names: bool = False
    observes: bool = False
    rate: RateClass | None = None
    problems: tuple[int, ...] = ()
    media_type: str | None = None
    waits_seconds: float = 0.0
    retried: Handler | None = None

    @property
    def rate_class(self) -> RateClass:
        """What a request counts as where requests are limited."""
        return self.rate or ("read" if self.method == "GET" else "write")
