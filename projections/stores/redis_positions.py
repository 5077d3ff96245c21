"""Positions of projections in Redis. On a cluster every master holds a copy, written after what it speaks of, and the
smallest counts: a master that lost its data, or was replaced by a replica that lags, takes the position back.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from photolog.ids import SLOTS
from projections.stores.counts import counts_of
from projections.stores.parked import parked_of
from projections.stores.port import Source, StoredPosition
from projections.stores.redis_scripts import ScriptCall, ScriptRunner, script

_ADVANCE = script("position_advance")
_Outputs = list[tuple[str, int, int]]
_Parked = list[tuple[bytes, list[int]]]


class RedisPositions:
    """A `PositionStore` beside what lives in the same Redis."""

    def __init__(self, runner: ScriptRunner) -> None:
        self._runner = runner

    async def position(self, source: Source) -> StoredPosition | None:
        """The position; on a cluster None as soon as one master has none."""
        copies = await self._on_each(source.projection, "HGET", _field(source))
        held = [_parsed(copy) for copy in copies if copy is not None]
        return min(held, key=lambda position: position.next_offset) if len(held) == len(copies) else None

    async def positions(self, projection: str) -> Mapping[Source, StoredPosition]:
        """All positions of a projection that every master holds."""
        copies = [_pairs(copy) for copy in await self._on_each(projection, "HGETALL")]
        shared = set(copies[0]).intersection(*copies[1:])
        found = {}
        for field in shared:
            topic, _, partition = field.decode().rpartition("/")
            held = [_parsed(copy[field]) for copy in copies]
            found[Source(projection, topic, int(partition))] = min(held, key=lambda position: position.next_offset)
        return found

    async def advance(self, source: Source, position: StoredPosition, *, expected: int = 0) -> bool:
        """Move forward on each master that holds at least `expected`; False where one does not.

        Raises:
            StoreUnavailable: not all answered; doing it again is safe.
        """
        outputs: _Outputs = [(*place, offset) for place, offset in position.outputs.items()]
        parked = [(key, waiting.as_numbers()) for key, waiting in position.parked.items()]
        parts = (position.next_offset, outputs, position.counts.as_map(), parked)
        stored = b"|".join(map(msgspec.json.encode, parts))
        moved = await self._runner.run(
            [
                ScriptCall(_ADVANCE, [key], [_field(source), position.next_offset, stored, expected])
                for key in await self._keys(source.projection)
            ]
        )
        return -1 not in moved

    async def _on_each(self, projection: str, command: str, *arguments: str) -> list[Any]:
        return [await self._runner.command(command, key, *arguments) for key in await self._keys(projection)]

    async def _keys(self, projection: str) -> list[str]:
        """One key that lives on each master."""
        cluster = await self._runner.masters()
        if cluster is None:
            return [_key(0, projection)]
        keys: dict[str, str] = {}
        for tag in range(SLOTS):
            node = cluster.get_node_from_key(_key(tag, projection))
            if node is not None:
                keys.setdefault(node.name, _key(tag, projection))
            if len(keys) == len(cluster.get_primaries()):
                break
        # A master that none of the tags reaches keeps nothing that a position could speak of.
        return list(keys.values())


def _key(tag: int, projection: str) -> str:
    return f"positions:{{{tag}}}:{projection}"


def _field(source: Source) -> str:
    return f"{source.topic}/{source.partition}"


def _pairs(answer: Any) -> dict[bytes, bytes]:
    # A node's client answers with a dictionary, a cluster's with what came over the wire.
    return answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=True))


def _parsed(stored: bytes) -> StoredPosition:
    next_offset, outputs, *rest = stored.split(b"|")
    places = msgspec.json.decode(outputs, type=_Outputs)
    acknowledged = {(topic, partition): offset for topic, partition, offset in places}
    if not rest:
        # A version that did not count wrote nothing more.
        return StoredPosition(int(next_offset), acknowledged)
    counts = counts_of(msgspec.json.decode(rest[0], type=dict[str, int]))
    parked = parked_of(dict(msgspec.json.decode(rest[1], type=_Parked))) if len(rest) > 1 else {}
    return StoredPosition(int(next_offset), acknowledged, counts, parked)
