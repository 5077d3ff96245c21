"""What clients observe, in batches: impressions, dwell and three-second views.

Nothing here tells which posts exist or may be seen: what may not be seen is dropped without a word, and the answer
counts what was sent. A repeated observation has the same event id, so that whoever counts can leave it out.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from gateway.cards import visible_posts
from gateway.endpoint import Body, Call, Command, Endpoint, IdText, parse_id
from gateway.services import Services
from photolog.errors import Invalid, NotFound
from photolog.settings import TelemetrySettings
from schemas.events import Event, PostDwelt, PostImpressed, PostViewed, Surface

SKEW_MS = 60_000
"""How far ahead of ours a client's clock may be. What it says is brought back to ours: windows close by the latest
moment that their topic tells, and would close early for everybody."""
_DWELL_MS_MAX = 3_600_000
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]
_NAMESPACE = uuid5(NAMESPACE_URL, "photolog:telemetry")


class Observation(Body, frozen=True, kw_only=True, tag_field="type"):
    """What a client saw of a post, where, and when (RFC 3339, with its offset)."""

    post_id: IdText
    surface: Surface
    at: Annotated[str, msgspec.Meta(max_length=40)]

    @property
    def at_ms(self) -> int:
        """When, Unix milliseconds. Raises msgspec.ValidationError where `at` is no instant."""
        return instant_ms(self.at)


class Impression(Observation, frozen=True, kw_only=True, tag="impression"):
    """The post came into view."""


class Dwell(Observation, frozen=True, kw_only=True, tag="dwell"):
    """The post was in view for `dwell_ms`."""

    dwell_ms: Annotated[int, msgspec.Meta(ge=1, le=_DWELL_MS_MAX)]


class View(Observation, frozen=True, kw_only=True, tag="view"):
    """The post was in view for three seconds on end."""


class Observations(Body, frozen=True, kw_only=True):
    events: Annotated[list[Impression | Dwell | View], msgspec.Meta(min_length=1, max_length=1_000)]


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """How many observations were well-formed: all that were sent."""

    accepted: int


async def observe(services: Services, call: Call) -> Command:
    """Take a batch whole or refuse it whole; append the sampled part of what the viewer may see."""
    body: Observations = call.body
    settings = services.settings.telemetry
    if len(body.events) > settings.batch_max:
        raise Invalid("too-many-events", f"a batch has at most {settings.batch_max} events", "events")
    moments_ms = [observed_ms(services, one.at, f"events[{number}].at") for number, one in enumerate(body.events)]
    sampled = {
        _event_id(call.viewer, one): (one, at_ms)
        for one, at_ms in zip(body.events, moments_ms, strict=True)
        if _share(call.viewer, one) < sample_rate(settings, type(one))
    }
    posts = sorted({post_id for one, _ in sampled.values() if (post_id := _post_id(one)) is not None})
    owners = await visible_posts(services, call.viewer, posts) if posts else {}
    kept = {event_id: (one, at_ms) for event_id, (one, at_ms) in sampled.items() if _post_id(one) in owners}
    events = tuple(
        _event(call.viewer, one, at_ms, owners, sample_rate(settings, type(one))) for one, at_ms in kept.values()
    )
    return Command(events, Accepted(accepted=len(body.events)), status=202, event_ids=tuple(kept))


def sample_rate(settings: TelemetrySettings, kind: type[Observation]) -> float:
    """The share of observations of a kind that is kept."""
    return _KINDS[kind].rate(settings)


def observed_ms(services: Services, at: str, field: str) -> int:
    """When something was observed, Unix milliseconds, and not later than now.

    Args:
        services: the gateway's.
        at: as the client says it.
        field: of the body, for the error.

    Raises:
        Invalid: it is no instant, is yet to come, or is too long ago.
    """
    now_ms, age_seconds_max = services.clock_ms(), services.settings.telemetry.age_seconds_max
    try:
        at_ms = instant_ms(at)
    except msgspec.ValidationError as error:
        raise Invalid("invalid-body", "this is no instant of RFC 3339 with its offset", field) from error
    if at_ms > now_ms + SKEW_MS:
        raise Invalid("future-event", "this has not happened yet", field)
    if at_ms < now_ms - age_seconds_max * 1_000:
        raise Invalid("old-event", f"this is older than {age_seconds_max} seconds", field)
    return min(at_ms, now_ms)


def instant_ms(text: str) -> int:
    """An instant of RFC 3339 with its offset, as Unix milliseconds. Raises msgspec.ValidationError for others."""
    instant: datetime = msgspec.convert(text, _Instant)
    return round(instant.timestamp() * 1_000)


def _post_id(one: Observation) -> int | None:
    """The post; None where the text is no id of ours, so that nothing has it."""
    try:
        return parse_id(one.post_id)
    except NotFound:
        return None


def _identity(viewer_id: int, one: Observation) -> str:
    return f"{_KINDS[type(one)].name}/{viewer_id}/{one.post_id}/{one.surface}/{one.at_ms}"


def _event_id(viewer_id: int, one: Observation) -> UUID:
    return uuid5(_NAMESPACE, _identity(viewer_id, one))


def _share(viewer_id: int, one: Observation) -> float:
    """A number from 0 up to 1, always the same for one observation: it is kept where this lies below the rate."""
    digest = hashlib.blake2b(_identity(viewer_id, one).encode(), digest_size=8).digest()
    return int.from_bytes(digest) / (1 << 64)


def _event(viewer_id: int, one: Observation, at_ms: int, owners: Mapping[int, int], rate: float) -> Event:
    fields: dict[str, Any] = {
        "viewer_id": viewer_id,
        "post_id": int(one.post_id),
        "owner_id": owners[int(one.post_id)],
        "surface": one.surface,
        "at_ms": at_ms,
        "sample_rate": rate,
    }
    if isinstance(one, Dwell):
        fields["dwell_ms"] = one.dwell_ms
    return _KINDS[type(one)].event(**fields)


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    event: type[Event]
    rate: Callable[[TelemetrySettings], float]


_KINDS: Mapping[type[Observation], _Kind] = {
    Impression: _Kind("impression", PostImpressed, lambda settings: settings.impression_rate),
    Dwell: _Kind("dwell", PostDwelt, lambda settings: settings.dwell_rate),
    View: _Kind("view", PostViewed, lambda settings: settings.view_rate),
}

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "POST",
        "/v1/events",
        observe,
        "Send what was seen of posts",
        "telemetry",
        body=Observations,
        response=Accepted,
        status=202,
        rate="telemetry",
        observes=True,
    ),
)
