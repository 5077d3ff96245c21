"""Home timelines in Redis or Valkey: one sorted set for each, changed by scripts (scripts/timeline.lua draws it).

A script call takes many timelines at once, because a call costs more than an entry. On a single node any timelines
share a call; on a cluster those of one slot bucket do, which followers' pages bring together. A member is 16 bytes:
with its score 28 in a listpack (`zset-max-listpack-entries 512`), a third of what it takes as a skip list.
"""

import asyncio
import secrets
import struct
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import groupby, islice
from typing import Any

from photolog.engines.redis_client import RedisClient
from photolog.ids import slot_of
from projections.stores.port import UNFILLED_MS, Delivery, TimelineEntry, TimelinePage
from projections.stores.redis_positions import RedisPositions
from projections.stores.redis_scripts import Script, ScriptCall, ScriptRunner, script

_OPEN, _PAGE, _MERGE, _DELIVER = (
    script("timeline", f"timeline_{name}") for name in ("open", "page", "merge", "deliver")
)
TIMELINES_PER_CALL = 200
CALLS_PER_TRIP = 4
TRIM_SLACK = 0.1
_MEMBER = struct.Struct(">QQ")
_PULL = struct.Struct(">cQ")
_FILLED = b"\xff!"


class RedisTimelines(RedisPositions):
    """A `TimelineStore` in Redis.

    Args:
        client: a node's or a cluster's.
        entries_max: entries that a timeline keeps when it is trimmed, which is at a tenth more.
        life_ms: how long a timeline lives that nobody reads.
    """

    def __init__(self, client: RedisClient, entries_max: int, life_ms: int) -> None:
        super().__init__(ScriptRunner(client))
        self._entries_max = entries_max
        self._entries_bound = int(entries_max * (1 + TRIM_SLACK))
        self._life_ms = life_ms

    async def deliver(self, deliveries: Sequence[Delivery]) -> int:
        """See `TimelineStore.deliver`. Trips are built while Redis works on those before."""
        trips = []
        for calls in _trips(self._calls(deliveries)):
            trips.append(asyncio.create_task(self._runner.run(calls)))
            await asyncio.sleep(0)
        # Every trip ends before an error is raised: none goes on behind the caller's back.
        answers = await asyncio.gather(*trips, return_exceptions=True)
        added = 0
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
            added += sum(answer)
        return added

    async def page(self, account_id: int, *, before: TimelineEntry | None, limit: int) -> TimelinePage:
        """See `TimelineStore.page`."""
        begin = "" if before is None else before.published_ms
        answer = await self._one(_PAGE, account_id, self._life_ms, begin, limit)
        if not answer:
            return TimelinePage(False, (), UNFILLED_MS)
        (state, *pulls), members = answer
        entries = _entries(members)
        if before is not None:
            entries = [entry for entry in entries if entry < before][:limit]
        low_mark_ms = int(state[state.rfind(b":") + 1 :]) if state.startswith(_FILLED) else UNFILLED_MS
        return TimelinePage(True, tuple(entries), low_mark_ms, tuple(_PULL.unpack(pull)[1] for pull in pulls))

    async def open(self, account_id: int) -> str:
        """See `TimelineStore.open`."""
        life: bytes = await self._one(_OPEN, account_id, secrets.token_hex(6), self._life_ms)
        return life.decode()

    async def merge(
        self, account_id: int, entries: Sequence[TimelineEntry], *, low_mark_ms: int | None, opened: str | None = None
    ) -> None:
        """See `TimelineStore.merge`."""
        mark = "" if low_mark_ms is None else low_mark_ms
        words = [word for entry in entries for word in (entry.published_ms, _member(entry), _pull(entry))]
        await self._one(_MERGE, account_id, self._entries_max, mark, opened or "", *words)

    async def drop(self, account_id: int) -> None:
        """See `TimelineStore.drop`."""
        await self._runner.command("DEL", timeline_key(account_id))

    async def account_ids(self) -> AsyncIterator[int]:
        """Whose timelines there are, in no order; one that comes or goes meanwhile may be among them or not.

        Raises:
            StoreUnavailable: not all nodes answered.
        """
        async for key in self._runner.keys("timeline:*"):
            yield int(key.rpartition(b":")[2])

    async def _one(self, wanted: Script, account_id: int, *arguments: str | bytes | int) -> Any:
        (answer,) = await self._runner.run([ScriptCall(wanted, [timeline_key(account_id)], arguments)])
        return answer

    def _calls(self, deliveries: Sequence[Delivery]) -> Iterator[ScriptCall]:
        if not self._runner.clustered:
            yield from self._packed([(delivery, delivery.follower_ids) for delivery in deliveries])
            return
        placed: dict[int, list[tuple[Delivery, list[int]]]] = {}
        for delivery in deliveries:
            for slot, follower_ids in groupby(delivery.follower_ids, slot_of):
                placed.setdefault(slot, []).append((delivery, list(follower_ids)))
        for parts in placed.values():
            yield from self._packed(parts)

    def _packed(self, parts: Sequence[tuple[Delivery, Sequence[int]]]) -> Iterator[ScriptCall]:
        """Calls of at most TIMELINES_PER_CALL timelines; several entries share one."""
        bounds = [self._entries_max, self._entries_bound]
        keys: list[str | bytes] = []
        words: list[str | bytes | int] = [*bounds]
        for delivery, follower_ids in parts:
            entry, done = delivery.entry, 0
            while done < len(follower_ids):
                taken = follower_ids[done : done + TIMELINES_PER_CALL - len(keys)]
                keys += [timeline_key(follower_id) for follower_id in taken]
                words += [entry.published_ms, _member(entry), _pull(entry), len(taken)]
                done += len(taken)
                if len(keys) == TIMELINES_PER_CALL:
                    yield ScriptCall(_DELIVER, keys, words)
                    keys, words = [], [*bounds]
        if keys:
            yield ScriptCall(_DELIVER, keys, words)


def _trips(calls: Iterator[ScriptCall]) -> Iterator[list[ScriptCall]]:
    while trip := list(islice(calls, CALLS_PER_TRIP)):
        yield trip


def timeline_key(account_id: int) -> bytes:
    """Where an account's timeline lives; the slot is the hash tag, so that a bucket shares a node."""
    return b"timeline:{%d}:%d" % (slot_of(account_id), account_id)


def _member(entry: TimelineEntry) -> bytes:
    """Fixed width and big-endian, so that members of one score order as their post ids do."""
    return _MEMBER.pack(entry.post_id, entry.author_id)


def _pull(entry: TimelineEntry) -> bytes:
    return _PULL.pack(b"@", entry.author_id) if entry.pull else b""


def _entries(members: Sequence[bytes]) -> list[TimelineEntry]:
    """Entries from members and scores by turns."""
    return [
        TimelineEntry(int(score), *_MEMBER.unpack(member))
        for member, score in zip(members[::2], members[1::2], strict=True)
    ]
