"""What a bounded run of a job is asked for and what it answers, as its client and whoever starts it share them."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

import msgspec

from schemas.events import Event, HashtagsRanked, RankedHashtag
from streams.flink_jobs import trending
from streams.flink_jobs.catalogue import JOBS
from streams.flink_jobs.tables import columns


class End(msgspec.Struct, frozen=True):
    """Where a partition is read up to."""

    topic: str
    partition: int
    offset: int


class Recomputation(msgspec.Struct, frozen=True, kw_only=True):
    """What to run: the job's name, and how far each of its topics and that of late records is read."""

    job: str
    ends: list[End]


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a ranking: Flink's Python hands over no list of rows."""

    scope: str
    window_start_ms: int
    window_end_ms: int
    hashtag: str
    people: int


def result_columns(job: str) -> list[str]:
    """The columns of what a bounded run of a job finds."""
    if job == trending.NAME:
        return [field.name for field in msgspec.structs.fields(Ranked)]
    return list(columns(JOBS[job].writes[0]))


def results_in(job: str, lines: Iterable[bytes]) -> list[Event]:
    """The events that a bounded run of a job found, from a JSON object a line."""
    if job != trending.NAME:
        decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(JOBS[job].writes[0])
        return [decoder.decode(line) for line in lines]
    ranked = msgspec.json.Decoder(Ranked)
    found = sorted(map(ranked.decode, lines), key=lambda one: (one.scope, one.window_end_ms, -one.people, one.hashtag))
    return [
        HashtagsRanked(
            scope=scope,
            window_start_ms=start_ms,
            window_end_ms=end_ms,
            hashtags=[RankedHashtag(hashtag=one.hashtag, people=one.people) for one in entries],
        )
        for (scope, start_ms, end_ms), entries in groupby(
            found, key=lambda one: (one.scope, one.window_start_ms, one.window_end_ms)
        )
    ]
