"""Training rows hold what was known at the moment of the impression, as a plain loop finds it, and nothing later."""

from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from analytics.columns import table_of, to_parquet
from projections.fold import Recorded
from ranking.features import Subject, features_at
from ranking.training import WINDOWS, feature_columns, training_sql
from schemas.events import EngagementMeasured, Event, Measured, PostImpressed

NOW_MS = 1_700_000_000_000
WINDOW_LENGTHS = tuple(WINDOWS.values())
impressions = st.lists(
    st.builds(
        PostImpressed, viewer_id=st.integers(1, 2), post_id=st.integers(1, 2), owner_id=st.just(9),
        surface=st.just("feed"), at_ms=st.integers(0, 12).map(lambda at: NOW_MS + at), sample_rate=st.just(1.0),
    ),
    max_size=6,
)  # fmt: skip


@st.composite
def measurements(draw: st.DrawFn) -> list[EngagementMeasured]:
    found = {}
    for _ in range(draw(st.integers(0, 12))):
        measured: Measured = draw(st.sampled_from(("post", "author", "affinity")))
        begin = NOW_MS + draw(st.integers(0, 10))
        window_ms = draw(st.sampled_from(WINDOW_LENGTHS))
        one = EngagementMeasured(
            measured=measured,
            post_id=draw(st.integers(1, 2)) if measured == "post" else 0,
            author_id=9,
            viewer_id=draw(st.integers(1, 2)) if measured == "affinity" else 0,
            window_ms=window_ms,
            valid_from_ms=begin,
            valid_until_ms=begin + 3,
            likes=draw(st.integers(-2, 5)),
            comments=0,
            shares=1,
            saves=0,
            views=0.5,
            rate=draw(st.floats(0, 9)),
        )
        # As windows of one length do, those of one subject follow each other and do not overlap.
        key = (measured, one.post_id, one.viewer_id, window_ms, (begin - NOW_MS) // 3)
        shifted = NOW_MS + (begin - NOW_MS) // 3 * 3
        found[key] = type(one)(**{**_fields(one), "valid_from_ms": shifted, "valid_until_ms": shifted + 3})
    return list(found.values())


def _fields(one: EngagementMeasured) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


def parquet(folder: Path, event: type[Event], events: list[Any], *, twice: bool = False, told_ms: int = NOW_MS) -> str:
    rows = [
        Recorded(one, UUID(int=number), "t", 0, number, told_ms)
        for number, one in enumerate([*events, *events] if twice else events)
    ]
    file = folder / f"{event.__name__}.parquet"
    file.write_bytes(to_parquet(table_of(event, rows)))
    return f"read_parquet('{file}')"


@given(seen=impressions, told=measurements())
def test_each_row_holds_what_a_plain_loop_finds_for_its_moment(
    seen: list[PostImpressed], told: list[EngagementMeasured], tmp_path_factory: Any
) -> None:
    folder = tmp_path_factory.mktemp("training")
    query = training_sql(parquet(folder, PostImpressed, seen), parquet(folder, EngagementMeasured, told, twice=True))
    with duckdb.connect() as connection:
        answer = connection.execute(query)
        names = [column[0] for column in answer.description]
        rows = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
    assert len(rows) == len(seen)
    for row in rows:
        known = features_at(told, row["at_ms"])
        for subject, ids in (
            ("post", (row["post_id"], row["owner_id"], 0)),
            ("author", (0, row["owner_id"], 0)),
            ("affinity", (0, row["owner_id"], row["viewer_id"])),
        ):
            for window, length_ms in WINDOWS.items():
                post_id, author_id, viewer_id = ids
                then = known.of(Subject(post_id, author_id, viewer_id, length_ms))
                assert row[f"{subject}_{window}_likes"] == then.likes
                assert row[f"{subject}_{window}_rate"] == then.rate


def test_what_is_told_later_changes_no_row_of_before(tmp_path: Path) -> None:
    seen = [PostImpressed(viewer_id=1, post_id=1, owner_id=9, surface="feed", at_ms=NOW_MS, sample_rate=1.0)]
    later = EngagementMeasured(
        measured="post", post_id=1, author_id=9, viewer_id=0, window_ms=300_000, valid_from_ms=NOW_MS + 1,
        valid_until_ms=NOW_MS + 300_001, likes=7, comments=7, shares=7, saves=7, views=7.0, rate=7.0,
    )  # fmt: skip
    query = training_sql(parquet(tmp_path, PostImpressed, seen), parquet(tmp_path, EngagementMeasured, [later]))
    with duckdb.connect() as connection:
        (row,) = connection.execute(f"SELECT {', '.join(feature_columns())} FROM ({query})").fetchall()
    assert set(row) == {0}


def test_what_was_told_long_after_its_window_closed_was_not_known_before(tmp_path: Path) -> None:
    moments = (NOW_MS + 10, NOW_MS + 60)
    seen = [
        PostImpressed(viewer_id=1, post_id=1, owner_id=9, surface="feed", at_ms=at_ms, sample_rate=1.0)
        for at_ms in moments
    ]
    behind = EngagementMeasured(
        measured="post", post_id=1, author_id=9, viewer_id=0, window_ms=300_000, valid_from_ms=NOW_MS,
        valid_until_ms=NOW_MS + 300_000, likes=7, comments=0, shares=0, saves=0, views=0.0, rate=7.0,
    )  # fmt: skip
    told = parquet(tmp_path, EngagementMeasured, [behind], told_ms=NOW_MS + 50)
    query = training_sql(parquet(tmp_path, PostImpressed, seen), told)
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT at_ms, post_5m_likes FROM ({query}) ORDER BY at_ms").fetchall()
    assert rows == [(moments[0], 0), (moments[1], 7)]
