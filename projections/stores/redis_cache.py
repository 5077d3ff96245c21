"""Versioned caches in Redis or Valkey: a hash for each entry, whose fields hold "version|value".

A read is one script call for each node, however many entries it asks for: a client that sends forty commands spends
more on them than Redis does.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from photolog.engines.redis_client import RedisClient
from projections.stores.port import MISSING, CacheWrite, Missing
from projections.stores.redis_scripts import ScriptCall, ScriptRunner, script

_MERGE, _READ = script("cache_merge"), script("cache_read")
_SEALED = b"!"
_WORDS_PER_CALL = 3_000  # Lua unpacks at most 8,000 values
Wanted = tuple[str, Sequence[str]]


class RedisCache:
    """A `VersionedCache` in Redis.

    Args:
        client: a node's or a cluster's.
        life_ms: how long an entry lives that nobody writes to.
        fields_max: fields of one entry; an entry that outgrows them is forgotten and sealed.
        seal_ms: how long nothing is kept under the key of an entry that outgrew its bound; longer than any reader
            takes from reading a row to writing it here.
    """

    def __init__(self, client: RedisClient, life_ms: int, fields_max: int = 5_000, seal_ms: int = 10_000) -> None:
        self._runner = ScriptRunner(client)
        self._life_ms = life_ms
        self._fields_max = fields_max
        self._seal_ms = seal_ms

    async def merge(self, writes: Sequence[CacheWrite]) -> None:
        """See `VersionedCache.merge`."""
        entries: dict[str, list[CacheWrite]] = {}
        for write in writes:
            entries.setdefault(write.key, []).append(write)
        parts = [
            (key, fields[start : start + _WORDS_PER_CALL // 3])
            for key, fields in entries.items()
            for start in range(0, len(fields), _WORDS_PER_CALL // 3)
        ]
        sized = [(key, fields, 3 * len(fields)) for key, fields in parts]
        await self._run([self._merge_call(group) for group in self._grouped(sized)])

    async def read(self, wanted: Sequence[Wanted]) -> list[list[bytes | Missing | None]]:
        """See `VersionedCache.read`."""
        sizes = [len(fields) for _, fields in wanted]
        # Redis has no reading of no fields; the parts leave such an entry out.
        if not self._runner.clustered and sum(sizes) <= _WORDS_PER_CALL and all(sizes):
            answers = (await self._runner.run([_read_call(wanted)]))[0] if wanted else []
            return [_values(answer) for answer in answers]
        return await self._read_in_parts(wanted)

    async def read_all(self, key: str) -> Mapping[str, bytes | None]:
        """See `VersionedCache.read_all`."""
        answer = await self._runner.command("HGETALL", key)
        # A node's client answers with a dictionary, a cluster's with what came over the wire.
        pairs = answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
        return {field.decode(): _value(stored) for field, stored in pairs if field != _SEALED}

    async def drop(self, keys: Sequence[str]) -> None:
        """See `VersionedCache.drop`."""
        for key in keys:
            await self._runner.command("UNLINK", key)

    async def _read_in_parts(self, wanted: Sequence[Wanted]) -> list[list[bytes | Missing | None]]:
        parts = [
            (place, key, fields[start : start + _WORDS_PER_CALL])
            for place, (key, fields) in enumerate(wanted)
            for start in range(0, len(fields), _WORDS_PER_CALL)
        ]
        groups = list(self._grouped([(key, (place, fields), len(fields)) for place, key, fields in parts]))
        calls = [_read_call([(key, fields) for key, (_, fields) in group]) for group in groups]
        found: list[list[bytes | Missing | None]] = [[] for _ in wanted]
        for group, answers in zip(groups, await self._run(calls), strict=True):
            for (_, (place, _)), answer in zip(group, answers, strict=True):
                found[place] += _values(answer)
        return found

    def _merge_call(self, entries: Sequence[tuple[str, Sequence[CacheWrite]]]) -> ScriptCall:
        words: list[str | bytes | int] = [self._life_ms, self._fields_max, self._seal_ms]
        for _, fields in entries:
            words += [_ending(fields), len(fields)]
            for write in fields:
                words += [write.field, write.version, _stored(write)]
        return ScriptCall(_MERGE, [key for key, _ in entries], words)

    def _grouped(self, parts: Iterable[tuple[str, Any, int]]) -> Iterable[list[tuple[str, Any]]]:
        """Keys that may share a call: those of one hash tag on a cluster, and never too many words."""
        groups: dict[str, tuple[list[tuple[str, Any]], int]] = {}
        for key, part, words in parts:
            tag = key[key.find("{") : key.find("}")] if self._runner.clustered else ""
            group, total = groups.get(tag, ([], 0))
            if group and total + words > _WORDS_PER_CALL:
                yield group
                group, total = [], 0
            group.append((key, part))
            groups[tag] = (group, total + words)
        yield from (group for group, _ in groups.values())

    async def _run(self, calls: Sequence[ScriptCall]) -> list[Any]:
        return await self._runner.run(calls) if calls else []


def _read_call(wanted: Sequence[Wanted]) -> ScriptCall:
    """Fields that entries in a row share, as those of the posts of a page, are sent once."""
    words: list[str | bytes | int] = []
    for _, run in groupby(wanted, _fields_of):
        entries = list(run)
        fields = entries[0][1]
        words += [len(entries), len(fields), *fields]
    return ScriptCall(_READ, [key for key, _ in wanted], words)


def _fields_of(wanted: Wanted) -> Sequence[str]:
    return wanted[1]


def _value(stored: bytes) -> bytes | None:
    _, there, value = stored.partition(b"|")
    return value if there else None


def _ending(writes: Sequence[CacheWrite]) -> str | int:
    """When the entry ends that these writes are to, or nothing."""
    return max((write.ends_ms for write in writes if write.ends_ms is not None), default="")


def _stored(write: CacheWrite) -> bytes:
    return b"%d" % write.version if write.value is None else b"%d|%b" % (write.version, write.value)


def _values(answer: Sequence[bytes | None]) -> list[bytes | Missing | None]:
    """Values from their stored forms. In one expression: a page has more than a hundred of them."""
    return [
        MISSING if stored is None else stored[at + 1 :] if (at := stored.find(b"|")) >= 0 else None for stored in answer
    ]
