"""What the bucket itself says of how far exports are, beside the files: a witness to the positions in Cassandra.

Positions that were lost, or came back with an older copy of the database, would have files written again that are cut
in another way, and events be there twice. The witness is written behind the positions, so it never says more than they
did; where they say less than it does, they are not what they were.
"""

from collections.abc import Mapping

import msgspec

from analytics.layout import PREFIX
from analytics.repeats import Files
from analytics.stretches import NOTHING, Noted
from photolog.errors import Conflict

_Said = dict[int, dict[str, int]]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Said).decode


def witness_key(topic: str) -> str:
    """The key of a topic's witness; tools that read Hive's partitions pass over it."""
    return f"{PREFIX}_positions/{topic}.json"


class Witness:
    """The witness of one topic.

    Args:
        files: the bucket.
        topic: the topic's name.
    """

    def __init__(self, files: Files, topic: str) -> None:
        self._files = files
        self._topic = topic
        self._said: _Said = {}

    async def read(self) -> None:
        """Look what it says. What it is held against has to be read afterwards. Raises StoreUnavailable."""
        key = witness_key(self._topic)
        async for keys in self._files.keys(key):
            if key in keys:
                self._said = _decode(await self._files.get(key))

    def require(self, noted: Mapping[int, Noted]) -> None:
        """Hold positions against it.

        Raises:
            Conflict: they are behind it.
        """
        for partition, types in self._said.items():
            own = noted.get(partition, NOTHING).types
            for event_type, said in types.items():
                stands = own[event_type].next_offset if event_type in own else 0
                if stands < said:
                    raise Conflict(
                        "export-positions-lost",
                        f"the bucket holds {event_type} of {self._topic}/{partition} up to {said}, and "
                        f"export_positions says {stands}: it was lost, or is an older copy. Restore it as it was; or, "
                        f"to begin anew, remove its rows and everything below {PREFIX}",
                    )

    async def put(self, noted: Mapping[int, Noted]) -> None:
        """Have it say what the positions say. Raises StoreUnavailable."""
        said = {
            partition: {name: progress.next_offset for name, progress in one.types.items()}
            for partition, one in noted.items()
        }
        if said != self._said:
            await self._files.put(witness_key(self._topic), _encode(said), "application/json")
            self._said = said
