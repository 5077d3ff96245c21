"""Where an export's files are in the bucket: `events/type=…/hour=…/`, as tools that know Hive's partitions read them.

A file's name is the topic, the partition and the first offset of the stretch of the log that it is made from, so that
whoever writes a stretch again writes the same names.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

PREFIX = "events/"
HOUR_MS = 3_600_000
TIME_MS_MAX = 253_402_300_800_000
"""The end of the year 9999: what claims to be later has no hour."""
_KEY = re.compile(
    r"events/type=(?P<type>[a-z_.]+)/hour=(?P<hour>[0-9T-]{13})/"
    r"(?P<topic>[a-z0-9._-]+)-(?P<partition>[0-9]+)-(?P<begin>[0-9]{20})\.parquet"
)


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file.

    Args:
        type: the event type.
        hour_ms: the hour in which its events happened: its first millisecond, Unix.
        topic: where they are in the log, with `partition`.
        begin: the first offset of the stretch that it was made from.
    """

    type: str
    hour_ms: int
    topic: str
    partition: int
    begin: int

    @property
    def key(self) -> str:
        """Its key in the bucket."""
        return f"{hour_prefix(self.type, self.hour_ms)}{self.topic}-{self.partition}-{self.begin:020d}.parquet"


def hour_of(timestamp_ms: int) -> int:
    """The hour of an instant: its first millisecond, Unix."""
    return timestamp_ms - timestamp_ms % HOUR_MS


def type_prefix(event_type: str) -> str:
    """What the keys of all files of a type begin with."""
    return f"{PREFIX}type={event_type}/"


def hour_prefix(event_type: str, hour_ms: int) -> str:
    """What the keys of a type's files of an hour begin with."""
    return f"{type_prefix(event_type)}hour={datetime.fromtimestamp(hour_ms // 1_000, UTC):%Y-%m-%dT%H}/"


def partition_prefix(event_type: str, hour_ms: int, topic: str, partition: int) -> str:
    """What the keys of those begin with that come from one partition."""
    return f"{hour_prefix(event_type, hour_ms)}{topic}-{partition}-"


def parsed(key: str) -> ExportFile | None:
    """The file of a key; None where it is none of an export's."""
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    hour = datetime.strptime(found["hour"], "%Y-%m-%dT%H").replace(tzinfo=UTC)
    return ExportFile(
        found["type"],
        int(hour.timestamp()) * 1_000,
        found["topic"],
        int(found["partition"]),
        int(found["begin"]),
    )
