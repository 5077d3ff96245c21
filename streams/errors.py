"""Why a worker gives up and is started again, from the position that its stores hold then.

PhotologError
├── PositionLost     a store holds less than this worker applied: it was flushed, restored or rewound
├── RecordsSkipped   the engine went over records that nobody applied
├── LogTruncated     the log and a stored position do not fit: records after it are gone, or it is past the end
├── TooMuchParked    so many keys wait behind dead letters that the projection must be broken
├── AheadOfGrowth    a topic grew, and what came before is not applied in all of its partitions
└── EngineFailed     the engine stopped by itself
"""

from photolog.errors import PhotologError


class PositionLost(PhotologError):
    """A store holds less than this worker applied: it was flushed, restored or rewound."""


class RecordsSkipped(PhotologError):
    """The engine went over records that nobody applied."""


class LogTruncated(PhotologError):
    """The log no longer holds the records after a stored position, or ends before it. An operator must decide:
    restore the log, or drop the projection's positions and rows to fold again what is left."""


class AheadOfGrowth(PhotologError):
    """A topic's partitions have grown, and something that came before the growth is not applied yet. A new process
    folds what lies before the growth first."""


class TooMuchParked(PhotologError):
    """More keys of a partition wait behind dead letters than may be. Burying the log is no remedy where a projection is
    broken: the worker ends, and the position stays where it is until the projection is repaired."""


class EngineFailed(PhotologError):
    """The engine stopped by itself."""
