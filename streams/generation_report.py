"""How each generation of each projection stands: positions, lag, rows and their digest, what became of its records."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from confluent_kafka import Consumer, KafkaException, TopicPartition

from photolog.errors import LogUnavailable
from photolog.log.ends import Ends
from photolog.log.kafka_config import client_config
from photolog.settings import KafkaSettings
from projections.catalogue import PROJECTIONS, TABLES_OF
from projections.comparing import Digest, digest_prefix
from projections.generations import FIRST, Pointers
from projections.packing import pack_ranked
from projections.stores.counts import NOTHING_COUNTED, Counts
from projections.stores.port import PositionStore, RowStore, Source, StoredPosition
from schemas.topics import FEED_FANOUT, FEED_FANOUT_PRIORITY
from streams.delivery import NAME as FEED

_TIMEOUT_SECONDS = 10.0
_NOWHERE = StoredPosition(0)


class PartitionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One partition as a generation has folded it. `lag_seconds` is the age of the first record that is not folded."""

    topic: str
    partition: int
    position: int
    end: int
    lag: int
    lag_seconds: float


class ProjectionLine(msgspec.Struct, frozen=True, kw_only=True):
    """A generation of a projection, as `--json` prints it. `rows` and `digest` are null where nobody read them."""

    projection: str
    engine: str
    generation: int
    state: str
    lag: int
    lag_seconds: float
    rows: int | None
    digest: str | None
    consumed: int
    applied: int
    duplicates: int
    noops: int
    dead: int
    parked: int
    partitions: list[PartitionLine]


@dataclass(frozen=True, slots=True)
class ReportPorts:
    """What a report reads.

    Args:
        kafka: the log.
        ends: where topics end.
        rows: the rows of a generation of a projection.
        timelines: the store of the feed's position.
        clock_ms: Unix milliseconds.
    """

    kafka: KafkaSettings
    ends: Ends
    rows: Callable[[str, int], RowStore]
    timelines: PositionStore
    clock_ms: Callable[[], int]


async def projection_lines(
    ports: ReportPorts, pointers: Pointers, heard: Callable[[int], None] | None
) -> list[ProjectionLine]:
    """Every generation of every projection, the live ones first.

    Args:
        ports: what is read.
        pointers: which generations there are.
        heard: told how many rows were read; None to read none.
    """
    lines = []
    for projection in PROJECTIONS:
        generations = pointers.of(projection.name)
        for number in generations.kept:
            rows = ports.rows(projection.name, number)
            topics = [topic.name for topic in projection.topics]
            stored = await rows.positions(projection.name)
            digest = await rows_digest(projection.name, rows, heard) if heard is not None else None
            state = "live" if number == generations.live else "before" if number == generations.previous else "built"
            if number == generations.building and not generations.is_fed:
                state = "building"
            lines.append(await _line(ports, projection.name, "cassandra", number, state, topics, stored, digest))
    stored, lanes = await ports.timelines.positions(FEED), [FEED_FANOUT.name, FEED_FANOUT_PRIORITY.name]
    lines.append(await _line(ports, FEED, "redis", FIRST, "live", lanes, stored, None))
    return lines


async def rows_digest(projection: str, rows: RowStore, heard: Callable[[int], None]) -> Digest:
    """The digest of all rows of a generation."""
    digest = Digest()
    for table in TABLES_OF[projection]:
        prefix = digest_prefix(table)
        async for page in rows.ranked_pages(table):
            heard(len(page))
            for ranked in page:
                digest.add(prefix + pack_ranked(ranked))
    return digest


async def _line(
    ports: ReportPorts,
    name: str,
    engine: str,
    number: int,
    state: str,
    topics: list[str],
    stored: Mapping[Source, StoredPosition],
    digest: Digest | None,
) -> ProjectionLine:
    partitions = await asyncio.to_thread(
        _partitions, ports, topics, {(s.topic, s.partition): at for s, at in stored.items()}
    )
    sums = _sums([position.counts for position in stored.values()])
    return ProjectionLine(
        projection=name,
        engine=engine,
        generation=number,
        state=state,
        lag=sum(line.lag for line in partitions),
        lag_seconds=max((line.lag_seconds for line in partitions), default=0.0),
        rows=digest.rows if digest is not None else None,
        digest=str(digest) if digest is not None else None,
        consumed=sums.consumed,
        applied=sums.applied,
        duplicates=sums.duplicates,
        noops=sums.noops,
        dead=sums.dead,
        parked=sums.parked,
        partitions=partitions,
    )


def _sums(counts: list[Counts]) -> Counts:
    names = [name for name in NOTHING_COUNTED.as_map() if name != "below"]
    return Counts(**{name: sum(getattr(count, name) for count in counts) for name in names})


def _partitions(
    ports: ReportPorts, topics: list[str], stored: Mapping[tuple[str, int], StoredPosition]
) -> list[PartitionLine]:
    found: list[PartitionLine] = []
    ages: dict[tuple[str, int], float] = {}
    places = sorted(place for place in ports.ends if place[0] in topics)
    behind = [place for place in places if stored.get(place, _NOWHERE).next_offset < ports.ends[place]]
    if behind:
        ages = _ages(ports, {place: stored.get(place, _NOWHERE).next_offset for place in behind})
    for place in places:
        position, end = stored.get(place, _NOWHERE).next_offset, ports.ends[place]
        lag = max(0, end - position)
        seconds = round(ages.get(place, 0.0), 1)
        found.append(
            PartitionLine(topic=place[0], partition=place[1], position=position, end=end, lag=lag, lag_seconds=seconds)
        )
    return found


def _ages(ports: ReportPorts, first: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], float]:
    """How long ago the record at each place happened, in seconds."""
    config: dict[str, Any] = {**client_config(ports.kafka), "group.id": "photolog-report", "enable.auto.commit": False}
    reader: Any = Consumer({**config, "auto.offset.reset": "earliest"})
    ages = {}
    try:
        for (topic, partition), offset in first.items():
            reader.assign([TopicPartition(topic, partition, offset)])
            message = reader.poll(_TIMEOUT_SECONDS)
            if message is not None and message.error() is None:
                ages[topic, partition] = max(0.0, (ports.clock_ms() - message.timestamp()[1]) / 1_000)
    except KafkaException as error:
        raise LogUnavailable(f"Kafka: {error}") from error
    finally:
        reader.close()
    return ages
