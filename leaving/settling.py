"""Whether every read model has come as far as the log did when it was asked."""

from collections.abc import Iterable, Mapping

from gateway.read_models import READ_MODELS
from photolog.positions import Position
from projections.catalogue import PROJECTIONS
from projections.generations import Pointers, generation_name
from projections.stores.port import RowStore, TimelineStore
from schemas.topics import MEDIA_REQUESTED

Ends = Mapping[tuple[str, int], int]


def places(ends: Ends) -> list[Position]:
    """The last record of each partition that has one."""
    return [Position(topic, partition, end - 1) for (topic, partition), end in ends.items() if end > 0]


async def applied(rows: RowStore, timelines: TimelineStore, positions: Iterable[Position]) -> bool:
    """Whether every read model that folds a position's topic is past it."""
    wanted: dict[str, list[Position]] = {}
    for position in positions:
        wanted.setdefault(position.topic, []).append(position)
    for model in READ_MODELS:
        asked = [position for topic in model.folds for position in wanted.get(topic, ())]
        if not asked:
            continue
        stored = await (timelines if model.in_timelines else rows).positions(model.name)
        reached = {(source.topic, source.partition): held.next_offset for source, held in stored.items()}
        if any(reached.get((position.topic, position.partition), 0) <= position.offset for position in asked):
            return False
    return True


async def lagging(rows: RowStore, pointers: Pointers, positions: Iterable[Position]) -> list[str]:
    """The generations beside the live ones that are not past positions of the topics that they fold.

    Args:
        rows: the rows of all generations.
        pointers: which generations there are.
        positions: what they are to be past.
    """
    wanted = list(positions)
    found = []
    for projection in PROJECTIONS:
        topics = {topic.name for topic in projection.topics}
        generations = pointers.of(projection.name)
        for number in generations.kept:
            if number != generations.live:
                name = generation_name(projection.name, number)
                stored = await rows.positions(name)
                reached = {(source.topic, source.partition): held.next_offset for source, held in stored.items()}
                if any(at.topic in topics and reached.get((at.topic, at.partition), 0) <= at.offset for at in wanted):
                    found.append(name)
    return found


def transcoded(answered: Ends, positions: Iterable[Position]) -> bool:
    """Whether the transcode workers have answered every request among these."""
    return all(
        answered.get((position.topic, position.partition), 0) > position.offset
        for position in positions
        if position.topic == MEDIA_REQUESTED.name
    )
