"""Whether read models cover a position, judged from one reading of what they have applied: the wait without waiting."""

from collections.abc import Iterable, Mapping

from gateway.read_models import FURTHER_HOPS, Path, ReadModel, ReadModelMap, positions_of
from photolog.positions import Position
from projections.stores.port import Source, StoredPosition

Applied = Mapping[str, Mapping[Source, StoredPosition]]
"""The stored positions of each read model, by its name."""


class Coverage:
    """Judges positions.

    Args:
        models: the map of read models.
        applied: what each of them has applied.
    """

    def __init__(self, models: ReadModelMap, applied: Applied) -> None:
        self._models = models
        self._applied = applied

    def of_all(self, model: str, positions: Iterable[Position]) -> bool | None:
        """Whether a model covers every position that concerns it.

        Returns:
            None where none concerns it, or where one leads to it by more hops than are followed and the others are
            covered.
        """
        judged = []
        for position in positions:
            path = self._models.path(position.topic, model)
            if path is not Path.UNRELATED:
                judged.append(None if path is Path.FAR else self._covers(model, position, FURTHER_HOPS))
        if False in judged:
            return False
        return None if None in judged or not judged else True

    def _covers(self, model: str, position: Position, further: int) -> bool:
        match self._models.path(position.topic, model):
            case Path.DIRECT:
                return self._stored(model, position) is not None
            case ReadModel(name=between) if further >= 0:
                stored = self._stored(between, position)
                return stored is not None and all(
                    self._covers(model, output, further - 1) for output in positions_of(stored.outputs)
                )
        return True

    def _stored(self, model: str, position: Position) -> StoredPosition | None:
        """The model's position in the partition, where it is beyond this one."""
        stored = self._applied.get(model, {}).get(Source(model, position.topic, position.partition))
        return stored if stored is not None and stored.next_offset > position.offset else None
