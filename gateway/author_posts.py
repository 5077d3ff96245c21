"""The newest posts of many authors together, from the rows: few of each first, and more of those who need it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from gateway.readings import Found
from projections.feed import TOP, Place, Stretch, floor_of, merged, newest, stretch_of_rows
from projections.posts import PUBLISHED_POSTS
from projections.stores.port import RowStore

READS_AT_ONCE = 128
AUTHORS_PER_READ = 16  # a statement for so many costs a tenth of as many statements
_ROWS_FIRST = 4  # of each of many authors, most of whom post less than the few who fill the page
_GROWTH = 4
_READS_OF_MANY_AT_ONCE = 64
T = TypeVar("T")
U = TypeVar("U")


async def newest_of(rows: RowStore, author_ids: Sequence[int], after: Place, count: int, found: Found) -> Stretch:
    """The newest posts of many authors together.

    Few posts of each are read first. An author of whom more may belong to the newest `count` is read on, and there are
    ever fewer of these.

    Args:
        rows: published posts.
        author_ids: whose.
        after: only what is strictly older.
        count: how many are wanted.
        found: takes all that are read for it, as they are read; the newest of each author are among them.
    """
    limit = min(count, max(_ROWS_FIRST, _GROWTH * count // len(author_ids)))
    marks = dict.fromkeys(author_ids, after)
    while marks:
        read = await stretches_of(rows, marks, limit, found)
        floor = floor_of(found, count)
        # What reaches neither its author's beginning nor the floor may hold more that is wanted.
        marks = {
            author_id: stretch.complete_from
            for author_id, stretch in zip(marks, read, strict=True)
            if not stretch.ended and stretch.complete_from > floor
        }
        limit = min(count, limit * _GROWTH)
    return newest(merged([Stretch(sorted(found, reverse=True), floor_of(found, count))]), count)


async def stretches_of(rows: RowStore, marks: dict[int, Place], limit: int, found: Found) -> list[Stretch]:
    """For each author, in order, the next `limit` posts behind their mark; `found` takes them, too."""
    if all(mark == TOP for mark in marks.values()):
        return await _newest_stretches(rows, list(marks), limit, found)

    async def read(mark: tuple[int, Place]) -> Stretch:
        author_id, after = mark
        behind_it = None if after == TOP else after
        read = await rows.scan(PUBLISHED_POSTS, (author_id,), after=behind_it, limit=limit)
        stretch = stretch_of_rows(read, limit)
        found.extend(stretch.entries)
        return stretch

    return await _bounded(read, list(marks.items()))


async def _newest_stretches(rows: RowStore, author_ids: Sequence[int], limit: int, found: Found) -> list[Stretch]:
    """The first `limit` posts of each author, of many authors with each statement."""

    async def read(some: Sequence[int]) -> list[Stretch]:
        read = await rows.scan_partitions(PUBLISHED_POSTS, [(author_id,) for author_id in some], limit=limit)
        stretches = [stretch_of_rows(posts, limit) for posts in read]
        found.extend(entry for stretch in stretches for entry in stretch.entries)
        return stretches

    parts = [author_ids[at : at + AUTHORS_PER_READ] for at in range(0, len(author_ids), AUTHORS_PER_READ)]
    return [stretch for part in await _bounded(read, parts, _READS_OF_MANY_AT_ONCE) for stretch in part]


async def _bounded(read: Callable[[T], Awaitable[U]], items: Sequence[T], at_once: int = READS_AT_ONCE) -> list[U]:
    """Read all, so many at once."""
    gate = asyncio.Semaphore(at_once)

    async def one(item: T) -> U:
        async with gate:
            return await read(item)

    return await asyncio.gather(*(one(item) for item in items))
