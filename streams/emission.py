"""Appending the events that jobs derive, and telling where they landed."""

from collections.abc import Sequence

from schemas.derived import DerivedEvent, derived_record
from schemas.serde import Serde
from streams import metrics
from streams.step import Log, Outputs


class Emitter:
    """Appends derived events."""

    def __init__(self, log: Log, serde: Serde) -> None:
        self._log = log
        self._serde = serde

    async def emit(self, events: Sequence[DerivedEvent]) -> Outputs:
        """Append in order; answers when all are acknowledged, with the offset behind the last in each partition.

        Raises:
            LogUnavailable: not all were acknowledged; doing it again is safe.
        """
        if not events:
            return {}
        positions = await self._log.append_all([derived_record(self._serde, event) for event in events])
        outputs: dict[tuple[str, int], int] = {}
        for position in positions:
            place = (position.topic, position.partition)
            outputs[place] = max(position.offset + 1, outputs.get(place, 0))
        for derived in events:
            metrics.EMITTED.labels(derived.event.type).inc()
        return outputs
