"""How far each read model has come: what it has applied of its topics, where they end, and what came of it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from gateway.coverage import Applied, Coverage
from gateway.endpoint import Answer, Call, Endpoint
from gateway.read_models import READ_MODELS, ReadModel, ReadModelMap
from gateway.services import LogEnds, Services
from photolog.errors import LogUnavailable
from photolog.log.ends import Ends
from photolog.positions import HEADER, Position, parse_positions
from projections.stores.port import RowStore, Source, StoredPosition, TimelineStore

_MAP = ReadModelMap()
_NOWHERE = StoredPosition(0)
Covers = Literal["yes", "no", "unknown"]


class OutputPosition(msgspec.Struct, frozen=True, kw_only=True):
    """The offset behind the last record that a model's job appended to a partition of a topic."""

    topic: str
    partition: int
    next_offset: int


class RecordCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the records that a model went past: `consumed` is the sum of the other five. `duplicates` had been
    applied before, `noops` changed nothing, `dead` could not be processed, and `parked` wait behind a dead one."""

    consumed: int
    applied: int
    duplicates: int
    noops: int
    dead: int
    parked: int


class SourcePosition(msgspec.Struct, frozen=True, kw_only=True):
    """How far a model has come in one partition: everything below `next_offset` is applied, and everything that came
    of it is in the log below `outputs`; `counts` tell what became of those records. `end_offset` and `lag` are null
    while the log does not answer."""

    topic: str
    partition: int
    next_offset: int
    end_offset: int | None
    lag: int | None
    outputs: list[OutputPosition]
    counts: RecordCounts


class ModelPositions(msgspec.Struct, frozen=True, kw_only=True):
    """A read model. `covers` says whether it has applied what the request's `Photolog-Position` names, `unknown` where
    that leads to it by a longer path than is followed; null where nothing was asked that concerns it."""

    name: str
    covers: Covers | None
    sources: list[SourcePosition]


class PositionsReport(msgspec.Struct, frozen=True, kw_only=True):
    models: list[ModelPositions]


async def positions(services: Services, call: Call) -> Answer:
    """Every read model's positions, at once: nothing is waited for."""
    asked = parse_positions(call.headers.get(HEADER.lower(), ""))
    report = await positions_report(services.rows, services.timelines, services.ends, asked)
    return Answer(report, etag=True)


async def positions_report(
    rows: RowStore, timelines: TimelineStore, log: LogEnds, asked: Sequence[Position] = ()
) -> PositionsReport:
    """How far all read models are, and whether each covers what is asked.

    Raises:
        StoreUnavailable: their positions could not be read.
    """
    stores = [timelines if model.in_timelines else rows for model in READ_MODELS]
    reads = [store.positions(model.name) for store, model in zip(stores, READ_MODELS, strict=True)]
    ends, stored = await asyncio.gather(_ends(log), asyncio.gather(*reads))
    applied: Applied = {model.name: found for model, found in zip(READ_MODELS, stored, strict=True)}
    coverage = Coverage(_MAP, applied)
    return PositionsReport(models=[_model(model, applied[model.name], ends, coverage, asked) for model in READ_MODELS])


async def _ends(log: LogEnds) -> Ends:
    """Nothing, where the log does not answer: what the models have applied is known all the same."""
    try:
        return await log.ends()
    except LogUnavailable:
        return {}


def _model(
    model: ReadModel,
    stored: Mapping[Source, StoredPosition],
    ends: Ends,
    coverage: Coverage,
    asked: Sequence[Position],
) -> ModelPositions:
    places = {(source.topic, source.partition) for source in stored} | {
        place for place in ends if place[0] in model.folds
    }
    return ModelPositions(
        name=model.name,
        covers=_covers(model.name, coverage, asked),
        sources=[
            _source(place, stored.get(Source(model.name, *place), _NOWHERE), ends.get(place))
            for place in sorted(places)
        ],
    )


def _covers(model: str, coverage: Coverage, asked: Sequence[Position]) -> Covers | None:
    concerning = [position for position in asked if _MAP.concerns(position.topic, model)]
    if not concerning:
        return None
    return {True: "yes", False: "no", None: "unknown"}[coverage.of_all(model, concerning)]  # type: ignore[return-value]


def _source(place: tuple[str, int], stored: StoredPosition, end: int | None) -> SourcePosition:
    # The end was asked for at its own moment: a model may well be ahead of it.
    return SourcePosition(
        topic=place[0],
        partition=place[1],
        next_offset=stored.next_offset,
        end_offset=end,
        lag=None if end is None else max(0, end - stored.next_offset),
        outputs=[
            OutputPosition(topic=topic, partition=partition, next_offset=next_offset)
            for (topic, partition), next_offset in sorted(stored.outputs.items())
        ],
        counts=msgspec.convert(stored.counts, RecordCounts, from_attributes=True),
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        "/v1/positions",
        positions,
        "How far each read model has come, and whether it covers a position",
        "positions",
        auth="any",
        response=PositionsReport,
    ),
)
