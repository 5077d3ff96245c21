"""Training rows: each impression with the features that serving could have known at its moment, and never later ones.
A record's time is when it was told.

The join is SQL for DuckDB, over tables or files of `post.impressed` and `engagement.measured` as `bin/photolog export`
writes them.
"""

from collections.abc import Mapping

_FIELDS = ("likes", "comments", "shares", "saves", "views", "rate")
WINDOWS: Mapping[str, int] = {"5m": 300_000, "1h": 3_600_000, "24h": 86_400_000}
"""The windows' names in columns, and how long each is in ms."""
SUBJECTS: Mapping[str, str] = {
    "post": "f.post_id = i.post_id",
    "author": "f.author_id = i.owner_id",
    "affinity": "f.author_id = i.owner_id AND f.viewer_id = i.viewer_id",
}
"""What is measured, and how an impression names it."""


def feature_columns() -> list[str]:
    """The columns that a training row has beside its impression: `post_5m_likes`, `affinity_24h_rate` and so on."""
    return [f"{subject}_{window}_{field}" for subject in SUBJECTS for window in WINDOWS for field in _FIELDS]


def training_sql(impressions: str, features: str) -> str:
    """The query that gives a row for each impression: its fields, and `feature_columns`, zeros where nothing was known.

    A feature counts from its `valid_from_ms`, when its window was closed, and not before it was told, which may be
    later; up to, and not at, its `valid_until_ms`. Of one that was told twice the last counts that was told by then.

    Args:
        impressions: a table, or a call such as `read_parquet('…')`, of impressions.
        features: the same of measurements.
    """
    told = f"told AS (SELECT *, greatest(valid_from_ms, epoch_ms(time)) AS known_ms FROM {features})"
    known = ",\n".join(_known(subject, names) for subject, names in SUBJECTS.items())
    columns = ", ".join(f"coalesce({name}, 0) AS {name}" for name in feature_columns())
    joins = "\n".join(f"LEFT JOIN {subject}_known USING (event_id)" for subject in SUBJECTS)
    return f"""WITH seen AS (SELECT DISTINCT ON (event_id) * FROM {impressions}),
{told},
{known}
SELECT seen.*, {columns}
FROM seen
{joins}"""


def _known(subject: str, names: str) -> str:
    """What was known of one kind of subject at each impression's moment, a column for each window and field."""
    columns = ",\n    ".join(
        f'arg_max(f.{field}, f."offset") FILTER (WHERE f.window_ms = {length_ms}) AS {subject}_{window}_{field}'
        for window, length_ms in WINDOWS.items()
        for field in _FIELDS
    )
    return f"""{subject}_known AS (
  SELECT i.event_id,
    {columns}
  FROM seen AS i JOIN told AS f
    ON f.measured = '{subject}' AND {names} AND f.known_ms <= i.at_ms AND i.at_ms < f.valid_until_ms
  GROUP BY i.event_id
)"""
