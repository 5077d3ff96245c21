"""A Bloom filter of row keys (Bloom 1970): it may take a key for one that was added, never the other way round."""

from typing import Any

from projections.tables import RowKey

BITS_LOG2 = 27  # 16 MiB; one key in a hundred is mistaken once some ten million were added
_PROBES = 4


class SeenKeys:
    """Keys that were added. Once it is full it takes every key for one of them."""

    def __init__(self, bits_log2: int = BITS_LOG2) -> None:
        self._mask = (1 << bits_log2) - 1
        self._bits = bytearray(1 << (bits_log2 - 3))

    def add(self, key: RowKey[Any]) -> None:
        """Add a key."""
        bits = self._bits
        for place in self._places(key):
            bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, key: RowKey[Any]) -> bool:
        bits = self._bits
        return all(bits[place >> 3] >> (place & 7) & 1 for place in self._places(key))

    def _places(self, key: RowKey[Any]) -> list[int]:
        """Two hashes make all of them (Kirsch and Mitzenmacher 2006)."""
        first = hash((key.table.name, key.values))
        second = hash((key.values, first)) | 1
        return [(first + number * second) & self._mask for number in range(_PROBES)]
