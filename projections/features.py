"""Features for ranking: what happened about a post, an author, or between two people, as it may be used now."""

from collections.abc import Sequence

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put
from schemas import events as e
from schemas import topics


class FeatureRow(Row, frozen=True, kw_only=True):
    """The newest measurement of one window; fields as in `schemas.events.EngagementMeasured`. From `valid_until_ms` on,
    Unix ms, it is there no more: nothing happened since."""

    post_id: int
    author_id: int
    viewer_id: int
    window_ms: int
    valid_from_ms: int
    valid_until_ms: int
    likes: int
    comments: int
    shares: int
    saves: int
    views: float
    rate: float


FEATURES = Table(
    "features",
    FeatureRow,
    ("post_id", "author_id", "viewer_id"),
    ("window_ms",),
    aggregate=True,
    expires="valid_until_ms",
)


class FeaturesProjection:
    """Folds measurements: the newest of each window stands, and of one moment what was said last."""

    name = "features"
    topics = (topics.ENGAGEMENT_FEATURES,)

    def aggregate(self, recorded: Recorded) -> RowKey[FeatureRow]:
        """The window of what is measured."""
        event = _measured(recorded)
        return FEATURES.key(event.post_id, event.author_id, event.viewer_id, event.window_ms)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """Nothing else."""
        return ()

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """An older measurement than the one that stands changes nothing."""
        event = _measured(recorded)
        before = rows.get(self.aggregate(recorded))
        if before is not None and _validity(before) > _validity(event):
            return ()
        row = FeatureRow(
            post_id=event.post_id,
            author_id=event.author_id,
            viewer_id=event.viewer_id,
            window_ms=event.window_ms,
            valid_from_ms=event.valid_from_ms,
            valid_until_ms=event.valid_until_ms,
            likes=event.likes,
            comments=event.comments,
            shares=event.shares,
            saves=event.saves,
            views=event.views,
            rate=event.rate,
        )
        return (put(FEATURES, row),)


def _validity(one: FeatureRow | e.EngagementMeasured) -> tuple[int, int]:
    return one.valid_from_ms, one.valid_until_ms


def _measured(recorded: Recorded) -> e.EngagementMeasured:
    if isinstance(recorded.event, e.EngagementMeasured):
        return recorded.event
    raise unfoldable(FeaturesProjection.name, recorded.event)


FEATURES_PROJECTION = FeaturesProjection()
