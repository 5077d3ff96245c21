"""Events as somebody may see them: judged in large batches, some at once, by the one place that judges streams too."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Sequence

from analytics.audience import Audience
from analytics.public_tables import PublicRow
from gateway.public_events import PublicView
from gateway.streams.filters import chance_of
from gateway.streams.shapes import data_of
from photolog.grouping import grouped
from projections.fold import Recorded

BATCH_EVENTS = 1_000
_BATCHES_AT_ONCE = 4


async def seen_by(
    audience: Audience, view: PublicView, batches: AsyncIterable[Sequence[Recorded]]
) -> AsyncIterator[list[PublicRow]]:
    """What somebody may see of events: a row for each that they may.

    Args:
        audience: who it is.
        view: tells what is public.
        batches: the events.

    Raises:
        PositionTimeout, StoreUnavailable, LogUnavailable: it cannot be told at the moment.
    """
    async for some in grouped(_resized(audience, batches), _BATCHES_AT_ONCE):
        for judged in await asyncio.gather(*(_judged(audience, view, batch) for batch in some)):
            yield judged


async def _judged(audience: Audience, view: PublicView, events: Sequence[Recorded]) -> list[PublicRow]:
    public = await view.of(events)
    return [
        PublicRow(str(one.event_id), one.timestamp_ms, data_of(event, audience.pseudonyms))
        for one, event in zip(events, public, strict=True)
        if event is not None
    ]


async def _resized(audience: Audience, batches: AsyncIterable[Sequence[Recorded]]) -> AsyncIterator[list[Recorded]]:
    """Batches of one size, without what the audience does not take."""
    held: list[Recorded] = []
    async for batch in batches:
        held += [one for one in batch if audience.takes.takes(one.event.type, chance_of(one.event_id))]
        while len(held) >= BATCH_EVENTS:
            yield held[:BATCH_EVENTS]
            held = held[BATCH_EVENTS:]
    if held:
        yield held
