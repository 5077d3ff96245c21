"""Where the log ends: the next offset of each partition, asked of the brokers at most once a second."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from photolog.errors import LogUnavailable
from photolog.log.kafka_config import client_config
from photolog.log.offsets import END, offsets_at, since
from photolog.settings import KafkaSettings

_KEPT_SECONDS = 1.0
_TIMEOUT_SECONDS = 2.0
Ends = Mapping[tuple[str, int], int]
"""For each (topic, partition) the offset that its next record will have."""


class KafkaEnds:
    """The ends of some topics; however many ask at once, the brokers are asked once.

    Args:
        kafka: the log.
        topics: their names.
    """

    def __init__(self, kafka: KafkaSettings, topics: Iterable[str]) -> None:
        self._kafka = kafka
        self._topics = frozenset(topics)
        self._admin: AdminClient | None = None
        self._asking = asyncio.Lock()
        self._answer: Ends | LogUnavailable = {}
        self._asked_at = float("-inf")

    async def ends(self) -> Ends:
        """The ends, as they were a moment ago. Raises LogUnavailable where no broker answered in time."""
        async with self._asking:
            if time.monotonic() - self._asked_at > _KEPT_SECONDS:
                self._answer = await asyncio.to_thread(self._ask)
                self._asked_at = time.monotonic()
        if isinstance(self._answer, LogUnavailable):
            raise LogUnavailable(str(self._answer))
        return self._answer

    def _ask(self) -> Ends | LogUnavailable:
        try:
            if self._admin is None:
                self._admin = AdminClient(client_config(self._kafka))
            return read_ends(self._admin, self._topics, _TIMEOUT_SECONDS)
        except KafkaException as error:
            return LogUnavailable(str(error))


def read_current_ends(kafka: KafkaSettings) -> Callable[[Sequence[str]], Awaitable[Ends]]:
    """Asks where topics end, at the time of each call. What is returned raises LogUnavailable."""
    admin = AdminClient(client_config(kafka))

    async def ends(topics: Sequence[str]) -> Ends:
        try:
            return await asyncio.to_thread(read_ends, admin, topics, _TIMEOUT_SECONDS)
        except KafkaException as error:
            raise LogUnavailable(str(error)) from error

    return ends


def read_ends(admin: AdminClient, topics: Iterable[str], seconds: float, until_ms: int | None = None) -> Ends:
    """The ends of those topics that exist.

    Args:
        admin: a client.
        topics: their names.
        seconds: how long one answer may take.
        until_ms: where they ended at a time, Unix ms: the first record of each partition that is not older.

    Raises:
        KafkaException: no broker answered in time.
    """
    described = admin.list_topics(timeout=seconds).topics
    places = [
        (topic, partition)
        for topic in sorted(topics)
        if topic in described
        for partition in described[topic].partitions
    ]
    ends = offsets_at(admin, places, END, seconds)
    if until_ms is None:
        return ends
    # Minus one where every record is older.
    found = offsets_at(admin, places, since(until_ms), seconds)
    return {place: ends[place] if offset < 0 else offset for place, offset in found.items()}
