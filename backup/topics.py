"""What a backup and a restore ask of Kafka."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from backup.manifest import GroupOffset
from photolog.log.slices import Place


@dataclass(frozen=True, slots=True)
class TopicHere:
    """A topic as Kafka has it.

    Args:
        topic_id: Kafka's id of it.
        partitions: how many it has.
        config: what is set for it alone.
    """

    topic_id: str
    partitions: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The first offset that a partition holds, and that which its next record will have."""

    begin: int
    end: int


class Topics(Protocol):
    """Kafka (backup/kafka_topics.py), or lists in tests. Every call may raise LogUnavailable."""

    async def described(self, topics: Iterable[str]) -> Mapping[str, TopicHere]:
        """Those of the topics that are there."""

    async def bounds(self, topics: Sequence[str]) -> Mapping[Place, Bounds]:
        """Where each partition of these topics begins and ends; the ends of a topic are asked for after those of the
        ones before it."""

    async def committed(self, group: str, topic: str) -> Sequence[GroupOffset]:
        """What a consumer group has committed of a topic."""

    async def create(self, topic: str, partitions: int, config: Mapping[str, str]) -> None:
        """Make a topic."""

    async def add_partitions(self, topic: str, partitions: int) -> None:
        """Give an empty topic more partitions, up to so many."""

    async def configure(self, topic: str, config: Mapping[str, str | None]) -> None:
        """Set these for a topic, or with None take away what is set, and leave everything else."""

    async def delete_before(self, place: Place, offset: int) -> None:
        """Let go of the records below an offset."""

    async def commit(self, offsets: Sequence[GroupOffset]) -> None:
        """Commit offsets of groups that have no members."""
