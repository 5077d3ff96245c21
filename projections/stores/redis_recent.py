"""Recent posts in Redis or Valkey: one sorted set for each author, changed by scripts (scripts/recent.lua draws it).

A read is one script call for each node, however many authors it asks for, and an author's answer is one string.
"""

import secrets
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from photolog.engines.redis_client import RedisClient
from photolog.ids import slot_of
from projections.generations import FIRST
from projections.posts import POSTS_PROJECTION
from projections.stores.generation_positions import Selected, first_generations
from projections.stores.port import RecentChange, RecentPage, TimelineEntry
from projections.stores.redis_scripts import ScriptCall, ScriptRunner, script

_OPEN, _RECORD, _FILL, _READ = (script("recent", f"recent_{name}") for name in ("open", "record", "fill", "read"))
_AUTHORS_PER_CALL = 500
_TRIM_SLACK = 0.1
_MEMBER = struct.Struct(">QQc")
_PULLED, _PUSHED = b"@", b"."


class RedisRecent:
    """A `RecentPosts` in Redis.

    Args:
        client: a node's or a cluster's.
        entries_max: posts that an author's set keeps when it is trimmed, which is at a tenth more.
        life_ms: how long a set lives after it was opened.
        selected: the generations of which posts are meant.
    """

    def __init__(
        self, client: RedisClient, entries_max: int, life_ms: int, selected: Selected = first_generations
    ) -> None:
        self._runner = ScriptRunner(client)
        self._selected = selected
        self._entries_max = entries_max
        self._entries_bound = int(entries_max * (1 + _TRIM_SLACK))
        self._life_ms = life_ms

    async def read(
        self, author_ids: Sequence[int], *, before: TimelineEntry | None, limit: int
    ) -> list[RecentPage | None]:
        """See `RecentPosts.read`."""
        begin = "" if before is None else before.published_ms
        words = {author_id: [begin, limit] for author_id in author_ids}
        answers = await self._each(_READ, words, shared=True)
        return [_page(author_id, answers[author_id], before, limit) for author_id in author_ids]

    async def record(self, changes: Sequence[RecentChange]) -> list[int]:
        """See `RecentPosts.record`."""
        by_author: dict[int, list[RecentChange]] = {}
        for change in changes:
            by_author.setdefault(change.entry.author_id, []).append(change)
        words = {author_id: _change_words(found) for author_id, found in by_author.items()}
        kept = await self._each(_RECORD, words, [self._entries_max, self._entries_bound])
        return [author_id for author_id in by_author if not kept[author_id]]

    async def open(self, author_ids: Sequence[int]) -> list[str]:
        """See `RecentPosts.open`."""
        words = {author_id: [secrets.token_hex(6), self._life_ms] for author_id in author_ids}
        lives = await self._each(_OPEN, words, shared=True)
        return [lives[author_id].decode() for author_id in author_ids]

    async def fill(self, author_id: int, entries: Sequence[TimelineEntry], *, low_mark_ms: int, opened: str) -> None:
        """See `RecentPosts.fill`."""
        words = [word for entry in entries for word in (entry.published_ms, _member(entry))]
        await self._runner.run(
            [ScriptCall(_FILL, [self._key(author_id)], [self._entries_max, opened, low_mark_ms, *words])]
        )

    async def drop(self, author_id: int) -> None:
        """See `RecentPosts.drop`."""
        await self._runner.command("UNLINK", self._key(author_id))

    def _key(self, author_id: int) -> bytes:
        return recent_key(author_id, self._selected().number(POSTS_PROJECTION.name))

    async def _each(
        self, wanted: Any, words: Mapping[int, Sequence[Any]], head: Sequence[Any] = (), *, shared: bool = False
    ) -> dict[int, Any]:
        """Each author's answer. Words that are `shared` are sent once for all authors of a call."""
        groups: dict[int, list[int]] = {}
        for author_id in words:
            groups.setdefault(slot_of(author_id) if self._runner.clustered else 0, []).append(author_id)
        parts = [
            group[first : first + _AUTHORS_PER_CALL]
            for group in groups.values()
            for first in range(0, len(group), _AUTHORS_PER_CALL)
        ]
        calls = []
        for part in parts:
            tail = words[part[0]] if shared else [word for author_id in part for word in words[author_id]]
            calls.append(ScriptCall(wanted, [self._key(author_id) for author_id in part], [*head, *tail]))
        answers = await self._runner.run(calls) if calls else []
        return {
            author_id: value
            for part, answer in zip(parts, answers, strict=True)
            for author_id, value in zip(part, answer, strict=True)
        }


def recent_key(author_id: int, generation: int = FIRST) -> bytes:
    """Where an author's recent posts live."""
    name = b"recent" if generation == FIRST else b"recent@%d" % generation
    return b"%b:{%d}:%d" % (name, slot_of(author_id), author_id)


def _member(entry: TimelineEntry) -> bytes:
    """Fixed width and big-endian, so that members of one score order as their post ids do."""
    return _MEMBER.pack(entry.published_ms, entry.post_id, _PULLED if entry.pull else _PUSHED)


def _change_words(changes: Sequence[RecentChange]) -> list[Any]:
    words: list[Any] = [len(changes)]
    for change in changes:
        entry = change.entry
        words += [change.version, entry.published_ms, _member(entry), "+" if change.there else "-"]
    return words


def _page(author_id: int, answer: Any, before: TimelineEntry | None, limit: int) -> RecentPage | None:
    if not answer:
        return None
    mark, members = answer
    entries = [
        TimelineEntry(published_ms, post_id, author_id, kind == _PULLED)
        for published_ms, post_id, kind in _MEMBER.iter_unpack(members)
    ]
    if before is not None:
        entries = [entry for entry in entries if entry < before][:limit]
    return RecentPage(tuple(entries), int(mark))
