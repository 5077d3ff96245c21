"""Trends: the hashtags that most people used, in the whole world and in each coarse cell, now and in the last weeks."""

from collections.abc import Sequence

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put
from schemas import events as e
from schemas import topics

KEPT_MS = 30 * 86_400_000
"""How long after its window a list of the history is kept."""
WORLD = "world"
"""The scope of everything. Any other scope is the geohash of a coarse cell."""


class TrendRow(Row, frozen=True, kw_only=True):
    """A scope's list of its newest window. `people` says how many used each of `hashtags`, the most used first, among
    equals by their texts. Times in Unix ms."""

    scope: str
    window_start_ms: int
    window_end_ms: int
    hashtags: list[str]
    people: list[int]


class PastTrendRow(Row, frozen=True, kw_only=True):
    """A scope's list of any window, until `expires_ms`, Unix ms."""

    scope: str
    window_end_ms: int
    window_start_ms: int
    hashtags: list[str]
    people: list[int]
    expires_ms: int


TRENDS = Table("trends", TrendRow, ("scope",), aggregate=True)
PAST_TRENDS = Table("past_trends", PastTrendRow, ("scope",), ("-window_end_ms",), expires="expires_ms")


class TrendingProjection:
    """Folds lists: the newest window's stands, and of one window what was said last."""

    name = "trending"
    topics = (topics.HASHTAG_TRENDS,)

    def aggregate(self, recorded: Recorded) -> RowKey[TrendRow]:
        """The scope."""
        return TRENDS.key(_ranked(recorded).scope)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """Nothing else."""
        return ()

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """An older window than the newest goes to the history alone."""
        event = _ranked(recorded)
        before = rows.get(self.aggregate(recorded))
        ranked = sorted(event.hashtags, key=lambda one: (-one.people, one.hashtag))
        hashtags, people = [one.hashtag for one in ranked], [one.people for one in ranked]
        past = PastTrendRow(
            scope=event.scope,
            window_end_ms=event.window_end_ms,
            window_start_ms=event.window_start_ms,
            hashtags=hashtags,
            people=people,
            expires_ms=event.window_end_ms + KEPT_MS,
        )
        if before is not None and before.window_end_ms > event.window_end_ms:
            return (put(PAST_TRENDS, past),)
        newest = TrendRow(
            scope=event.scope,
            window_start_ms=event.window_start_ms,
            window_end_ms=event.window_end_ms,
            hashtags=hashtags,
            people=people,
        )
        return put(PAST_TRENDS, past), put(TRENDS, newest)


def _ranked(recorded: Recorded) -> e.HashtagsRanked:
    if isinstance(recorded.event, e.HashtagsRanked):
        return recorded.event
    raise unfoldable(TrendingProjection.name, recorded.event)


TRENDING_PROJECTION = TrendingProjection()
