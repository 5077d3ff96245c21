"""What an export did."""

from collections import defaultdict
from dataclasses import dataclass, field


@dataclass(slots=True)
class TypeTally:
    """What was done of a type.

    Args:
        events: those that were written.
        files: how many files they are in, with `size_bytes` in all.
        repeats: records whose event an earlier one had brought.
    """

    events: int = 0
    files: int = 0
    size_bytes: int = 0
    repeats: int = 0

    def add(self, other: "TypeTally") -> None:
        """Count what another counted, too."""
        self.events += other.events
        self.files += other.files
        self.size_bytes += other.size_bytes
        self.repeats += other.repeats


@dataclass(slots=True)
class TopicTally:
    """What was found in a topic that is in no file.

    Args:
        undecodable: records that are no event: jobs made dead letters of them.
        misplaced: records that lie where their key does not belong since the topic grew: jobs put them aside as well.
        lost: offsets that the log lost before they were exported, and that were gone past as that was asked for.
    """

    undecodable: int = 0
    misplaced: int = 0
    lost: int = 0


@dataclass(slots=True)
class Tally:
    """What an export did.

    Args:
        total: the offsets that there were to go through.
        done: how many of them are done.
        types: of each type.
        topics: of each topic.
    """

    total: int = 0
    done: int = 0
    types: defaultdict[str, TypeTally] = field(default_factory=lambda: defaultdict(TypeTally))
    topics: defaultdict[str, TopicTally] = field(default_factory=lambda: defaultdict(TopicTally))
