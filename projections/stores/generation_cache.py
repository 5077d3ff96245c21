"""A versioned cache as one selection of generations sees it."""

from collections.abc import Mapping, Sequence

from projections.cache_owners import owner_of, plain_field, selected_field
from projections.generations import FIRST, Selection
from projections.stores.generation_positions import Selected
from projections.stores.port import CacheWrite, Missing, VersionedCache


class GenerationCache:
    """A `VersionedCache` over another.

    Args:
        cache: the cache of all generations.
        selected: which ones are read and written, asked anew for every call.
    """

    def __init__(self, cache: VersionedCache, selected: Selected) -> None:
        self._cache = cache
        self._selected = selected

    async def merge(self, writes: Sequence[CacheWrite]) -> None:
        """See `VersionedCache.merge`."""
        selection = self._selected()
        if not selection.is_first:
            writes = [_moved(selection, write) for write in writes]
        await self._cache.merge(writes)

    async def read(self, wanted: Sequence[tuple[str, Sequence[str]]]) -> list[list[bytes | Missing | None]]:
        """See `VersionedCache.read`."""
        selection = self._selected()
        if not selection.is_first:
            wanted = [(key, [selected_field(selection, key, field) for field in fields]) for key, fields in wanted]
        return await self._cache.read(wanted)

    async def read_all(self, key: str) -> Mapping[str, bytes | None]:
        """See `VersionedCache.read_all`."""
        selection, found = self._selected(), {}
        for stored, value in (await self._cache.read_all(key)).items():
            field, number = plain_field(stored)
            owner = owner_of(key, field)
            if number == (FIRST if owner is None else selection.number(owner)):
                found[field] = value
        return found

    async def drop(self, keys: Sequence[str]) -> None:
        """Forget entries, with the fields of every generation."""
        await self._cache.drop(keys)


def _moved(selection: Selection, write: CacheWrite) -> CacheWrite:
    field = selected_field(selection, write.key, write.field)
    return CacheWrite(write.key, field, write.version, write.value, write.ends_ms)
