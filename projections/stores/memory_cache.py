"""A versioned cache in dictionaries: the fake that tests use, held to the same contract as Redis."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from photolog.ids import now_ms
from projections.stores.port import MISSING, CacheWrite, Missing


@dataclass(slots=True)
class _Entry:
    expires_ms: int
    sealed: bool = False
    fields: dict[str, tuple[int, bytes | None]] = field(default_factory=dict)
    summed: set[str] = field(default_factory=set)

    def put(self, write: CacheWrite) -> None:
        name, slash, part = write.field.partition("/")
        if slash and part == "*":
            self.summed.add(name)
        elif write.field not in self.fields or self.fields[write.field][0] < write.version:
            self.fields[write.field] = (write.version, write.value)

    def value(self, name: str) -> bytes | Missing | None:
        if name in self.summed:
            parts = [value for part, (_, value) in self.fields.items() if part.startswith(f"{name}/")]
            return b"%d" % sum(int(value) for value in parts if value is not None)
        return self.fields[name][1] if name in self.fields else MISSING


class MemoryCache:
    """A `VersionedCache` in this process.

    Args:
        life_ms: how long an entry lives that nobody writes to.
        fields_max: fields of one entry; an entry that outgrows them is forgotten and sealed.
        seal_ms: how long nothing is kept under the key of an entry that outgrew its bound.
        clock_ms: Unix milliseconds.
    """

    def __init__(
        self,
        life_ms: int = 86_400_000,
        fields_max: int = 5_000,
        seal_ms: int = 10_000,
        clock_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._life_ms = life_ms
        self._fields_max = fields_max
        self._seal_ms = seal_ms
        self._clock_ms = clock_ms
        self._entries: dict[str, _Entry] = {}

    async def merge(self, writes: Sequence[CacheWrite]) -> None:
        """See `VersionedCache.merge`."""
        at_ms = self._clock_ms()
        for write in writes:
            entry = self._alive(write.key) or _Entry(0)
            if entry.sealed:
                continue
            entry.put(write)
            entry.expires_ms = at_ms + self._life_ms if write.ends_ms is None else write.ends_ms
            self._entries[write.key] = entry
        for key in {write.key for write in writes}:
            entry = self._entries[key]
            if not entry.sealed and len(entry.fields) + len(entry.summed) > self._fields_max:
                self._entries[key] = _Entry(at_ms + self._seal_ms, sealed=True)

    async def read(self, wanted: Sequence[tuple[str, Sequence[str]]]) -> list[list[bytes | Missing | None]]:
        """See `VersionedCache.read`."""
        nothing = _Entry(0)
        return [[(self._alive(key) or nothing).value(name) for name in fields] for key, fields in wanted]

    async def read_all(self, key: str) -> Mapping[str, bytes | None]:
        """See `VersionedCache.read_all`."""
        entry = self._alive(key)
        return {} if entry is None else {field: value for field, (_, value) in entry.fields.items()}

    async def drop(self, keys: Sequence[str]) -> None:
        """See `VersionedCache.drop`."""
        for key in keys:
            self._entries.pop(key, None)

    def flush(self) -> None:
        """Lose everything, as an engine may."""
        self._entries.clear()

    def _alive(self, key: str) -> _Entry | None:
        entry = self._entries.get(key)
        return entry if entry is not None and entry.expires_ms > self._clock_ms() else None
