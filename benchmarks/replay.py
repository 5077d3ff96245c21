"""Reading a topic again: the replay engine, decode included, against Faust doing nothing with the same topic,
each on one core; and how time and memory grow with the log.

This is what every rebuild begins with, whatever it folds into. Nothing in Redis is rebuilt from the log by itself: what
is there are caches of rows, filled where they are asked for.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from benchmarks.cores import own_core
from benchmarks.engines import migrated_engines
from benchmarks.fanout_worker import Backlog
from benchmarks.feed_gateway import stack_settings
from benchmarks.programs import program
from benchmarks.records import ends_of, record_of
from benchmarks.replay_worker import Read
from benchmarks.result import Result, paired
from photolog.ids import SnowflakeSource
from photolog.settings import Settings
from schemas.events import PostLiked
from schemas.topics import LIKES
from streams.bootstrap import connect

_LIKES = 100_000
_GROWN = (1_000_000, 10_000_000)
_DISTINCT = 5_000
_AT_ONCE = 5_000


def run(rounds: int = 5) -> list[Result]:
    """Records a second, from the first batch to the last."""
    with own_core() as core, migrated_engines("replay") as environment:
        log = _Log(environment, core)
        log.grow_to(_LIKES)
        result = paired(
            "replay",
            "records/s",
            lambda: log.read("ours").records_per_second,
            lambda: log.read("bare").records_per_second,
            opponent_name="Faust doing nothing with the same topic",
            aim=10,
            rounds=rounds,
        )
        return [replace(result, note="; ".join(log.read_told(records) for records in (_LIKES, *_GROWN)))]


class _Log:
    """A topic of likes that grows.

    Args:
        environment: the settings' keys.
        core: the processor of whoever reads.
    """

    def __init__(self, environment: Mapping[str, str], core: int) -> None:
        self._environment = environment
        self._core = core
        self._records = 0
        self._ends: dict[int, int] = {}

    def grow_to(self, records: int) -> None:
        """Append until it holds so many."""
        if records > self._records:
            asyncio.run(self._append(stack_settings(self._environment), records - self._records))
            self._records = records

    def read(self, side: str) -> Read:
        """Read all of it, in a process of its own."""
        backlog = Backlog(side, self._core, dict.fromkeys(self._ends, 0), self._ends)
        told = msgspec.json.encode(backlog)
        return msgspec.json.decode(
            program(self._environment, told, "-m", "benchmarks.replay_worker", LIKES.name), type=Read
        )

    def read_told(self, records: int) -> str:
        """How long a log of so many takes, and in how much memory."""
        self.grow_to(records)
        found = self.read("ours")
        seconds, megabytes = records / found.records_per_second, found.memory_bytes / 1e6
        return f"{records:,} records in {seconds:.1f} s, {found.processor_us:.1f} µs each, {megabytes:.0f} MB"

    async def _append(self, settings: Settings, records: int) -> None:
        ids = SnowflakeSource(1_021)
        async with connect(settings) as resources:
            likes = (PostLiked(actor_id=ids.next(), post_id=ids.next()) for _ in range(min(records, _DISTINCT)))
            some = [record_of(resources.serde, like) for like in likes]
            left = records
            while left > 0:
                part = some[: min(left, _AT_ONCE)]
                self._ends |= ends_of(await resources.log.append_all(part))
                left -= len(part)
