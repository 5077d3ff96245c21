"""Hashtags that operators keep out of trends: one short list, which is read whole."""

from collections.abc import Sequence

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put
from schemas import events as e
from schemas import topics

ALL = "all"
"""The one list's name."""


class BarredHashtagsRow(Row, frozen=True, kw_only=True):
    """The list. `reasons` (blocked or sensitive), `operators` and `barred_ms` (Unix ms) are those of `hashtags`, which
    stand in their order as texts."""

    name: str
    hashtags: list[str]
    reasons: list[str]
    operators: list[str]
    barred_ms: list[int]


BARRED_HASHTAGS = Table("barred_hashtags", BarredHashtagsRow, ("name",), aggregate=True)


class BarredHashtagsProjection:
    """Folds the list: what was said last of a hashtag holds. All of it has one key, so all of it is in one order."""

    name = "barred_hashtags"
    topics = (topics.BARRED_HASHTAGS,)

    def aggregate(self, recorded: Recorded) -> RowKey[BarredHashtagsRow]:
        """The list."""
        return BARRED_HASHTAGS.key(ALL)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """Nothing else."""
        return ()

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """Allowing what is not barred changes nothing."""
        before = rows.get(self.aggregate(recorded))
        barred = _entries(before)
        match recorded.event:
            case e.HashtagBarred(hashtag=hashtag, reason=reason, operator=operator):
                barred[hashtag] = (reason, operator, recorded.timestamp_ms)
            case e.HashtagUnbarred(hashtag=hashtag):
                barred.pop(hashtag, None)
            case other:
                raise unfoldable(self.name, other)
        after = _row(barred)
        return () if after == (before or _row({})) else (put(BARRED_HASHTAGS, after),)


_Entry = tuple[str, str, int]


def _entries(row: BarredHashtagsRow | None) -> dict[str, _Entry]:
    if row is None:
        return {}
    return dict(zip(row.hashtags, zip(row.reasons, row.operators, row.barred_ms, strict=True), strict=True))


def _row(barred: dict[str, _Entry]) -> BarredHashtagsRow:
    hashtags = sorted(barred)
    return BarredHashtagsRow(
        name=ALL,
        hashtags=hashtags,
        reasons=[barred[hashtag][0] for hashtag in hashtags],
        operators=[barred[hashtag][1] for hashtag in hashtags],
        barred_ms=[barred[hashtag][2] for hashtag in hashtags],
    )


BARRED_HASHTAGS_PROJECTION = BarredHashtagsProjection()
