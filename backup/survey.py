"""What there is of the log at one moment: topics, their growths, where they end, what groups have committed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from backup.manifest import GroupOffset, PartitionCopy, TopicCopy, TopicGrowth
from backup.topics import Bounds, TopicHere, Topics
from moderation.intake import GROUP as MODERATION
from photolog.errors import Conflict
from photolog.log.growths import GrowthRow
from photolog.log.slices import Place
from schemas.topics import MEDIA_COMPLETED, MEDIA_REQUESTED, TOPICS
from transcode.intake import GROUP as TRANSCODING

OURS: tuple[str, ...] = tuple(name for topic in TOPICS for name in (topic.name, topic.dead_letters))
"""The topics that `migrate` makes. What refers to something comes behind it."""
GROUPS: Mapping[str, str] = {
    TRANSCODING: MEDIA_REQUESTED.name,
    MODERATION: MEDIA_COMPLETED.name,
}
"""Consumer groups whose committed offsets are all that tells how far they are, and the topic of each. Jobs keep their
positions in their stores."""


class Ledger(Protocol):
    """The durable record of growths: photolog.log.growths."""

    async def rows(self, topic: str, *, serial: bool = False) -> list[GrowthRow]: ...


@dataclass(frozen=True, slots=True)
class Survey:
    """The log at one moment.

    Args:
        at_ms: when, Unix milliseconds.
        topics: those that are there.
        growths: of each of them.
        bounds: of each partition.
        groups: committed offsets.
    """

    at_ms: int
    topics: Mapping[str, TopicHere]
    growths: Mapping[str, tuple[TopicGrowth, ...]]
    bounds: Mapping[Place, Bounds]
    groups: tuple[GroupOffset, ...]

    def copies(self, partitions: Mapping[Place, PartitionCopy]) -> tuple[TopicCopy, ...]:
        """The topics, with what was copied of them."""
        return tuple(
            TopicCopy(
                name,
                here.topic_id,
                dict(here.config),
                self.growths[name],
                tuple(partitions[name, partition] for partition in range(here.partitions)),
            )
            for name, here in self.topics.items()
        )


async def surveyed(topics: Topics, ledger: Ledger, names: Sequence[str], at_ms: int) -> Survey:
    """Look at the log.

    What a group has committed is asked for first, so that what it answered is in the log. The ends are asked for from
    the last topic to the first: what refers to something is counted before what it refers to.

    Args:
        topics: Kafka.
        ledger: the record of growths.
        names: the topics; those that are not there are left out.
        at_ms: now, Unix milliseconds.

    Raises:
        Conflict: a topic is growing.
        LogUnavailable, StoreUnavailable: something did not answer.
    """
    described = await topics.described(names)
    there = [name for name in names if name in described]
    groups = [
        offset for group, topic in GROUPS.items() if topic in there for offset in await topics.committed(group, topic)
    ]
    before = await _growths(ledger, there)
    bounds = await topics.bounds(there[::-1])
    # A growth that began meanwhile has cut the log behind these ends, or before them: nobody can tell.
    again = await topics.described(there)
    if await _growths(ledger, there) != before or {**again} != {**described}:
        raise Conflict("growth-under-way", "the topics changed meanwhile: run it again")
    ordered = {name: described[name] for name in there}
    return Survey(at_ms, ordered, before, bounds, tuple(groups))


async def _growths(ledger: Ledger, names: Sequence[str]) -> dict[str, tuple[TopicGrowth, ...]]:
    found = {}
    for name in names:
        rows = await ledger.rows(name, serial=True)
        if any(row.state != "done" for row in rows):
            raise Conflict("growth-under-way", f"{name} is growing: run it again when that is done")
        found[name] = tuple(TopicGrowth(row.epoch, row.before, row.after, row.cuts) for row in rows)
    return found
