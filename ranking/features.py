"""Features as of a moment: training must see what serving could have known then, and never anything later."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

import msgspec


class Measurement(Protocol):
    """A measurement: a record of `schemas.events.EngagementMeasured`, or a row of `projections.features`."""

    @property
    def post_id(self) -> int: ...
    @property
    def author_id(self) -> int: ...
    @property
    def viewer_id(self) -> int: ...
    @property
    def window_ms(self) -> int: ...
    @property
    def valid_from_ms(self) -> int: ...
    @property
    def valid_until_ms(self) -> int: ...
    @property
    def likes(self) -> int: ...
    @property
    def comments(self) -> int: ...
    @property
    def shares(self) -> int: ...
    @property
    def saves(self) -> int: ...
    @property
    def views(self) -> float: ...
    @property
    def rate(self) -> float: ...


class Subject(NamedTuple):
    """What is measured, and over how long a window; ids that do not belong to it are 0."""

    post_id: int
    author_id: int
    viewer_id: int
    window_ms: int


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """What happened; zeros where nothing did. `rate` counts with weights that halve with age."""

    likes: int = 0
    comments: int = 0
    shares: int = 0
    saves: int = 0
    views: float = 0.0
    rate: float = 0.0


NOTHING = Features()


class FeaturesThen(NamedTuple):
    """The features of every subject as of one moment."""

    known: Mapping[Subject, Features]

    def of(self, subject: Subject) -> Features:
        """Those of a subject; zeros where there are none."""
        return self.known.get(subject, NOTHING)


def features_at(records: Iterable[Measurement], moment_ms: int) -> FeaturesThen:
    """What was known at a moment.

    Args:
        records: measurements in any order; of two with one subject and one beginning the later in this order counts.
        moment_ms: Unix milliseconds; a record counts from its `valid_from_ms` up to, and not at, its `valid_until_ms`.
    """
    newest: dict[Subject, Measurement] = {}
    for record in records:
        if record.valid_from_ms <= moment_ms < record.valid_until_ms:
            subject = Subject(record.post_id, record.author_id, record.viewer_id, record.window_ms)
            before = newest.get(subject)
            if before is None or before.valid_from_ms <= record.valid_from_ms:
                newest[subject] = record
    return FeaturesThen({subject: _features(record) for subject, record in newest.items()})


def _features(record: Measurement) -> Features:
    return Features(
        likes=record.likes,
        comments=record.comments,
        shares=record.shares,
        saves=record.saves,
        views=record.views,
        rate=record.rate,
    )
