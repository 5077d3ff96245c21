"""Engagement features: what happened about posts, about authors, and between viewers and authors, in five minutes, an
hour and a day.

A feature may be used from the moment at which its window was closed until the next one is. What was undone is taken
off again. Each event is counted once, also where the log holds it twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.events import EngagementMeasured, PostEngaged, PostViewed
from streams.flink_jobs.lateness import in_time, late_insertion, lateness_views
from streams.flink_jobs.tables import columns, insertion

NAME = "engagement"
READS = (PostEngaged, PostViewed)
SLIDE_MS = 300_000
FEATURES = "engagement_measures"
HALF_LIVES = 4
"""How many half-lives of the decaying rate a window is long."""
WEIGHTS = {"like": 1.0, "unlike": -1.0, "comment": 3.0, "share": 4.0, "save": 2.0, "unsave": -2.0}
"""What each act adds to the decaying rate."""
VIEW_WEIGHT = 0.1


@dataclass(frozen=True, slots=True)
class Window:
    """Windows of one length.

    Args:
        length_ms: their length.
        slide_ms: how far apart they are.
        call: the table function that cuts them.
    """

    length_ms: int
    slide_ms: int
    call: str


_FACTS = "TABLE `engagement_facts`, DESCRIPTOR(`at`)"
WINDOWS = (
    Window(300_000, 300_000, f"TUMBLE({_FACTS}, INTERVAL '5' MINUTES)"),
    Window(3_600_000, 300_000, f"HOP({_FACTS}, INTERVAL '5' MINUTES, INTERVAL '60' MINUTES)"),
    Window(86_400_000, 3_600_000, f"HOP({_FACTS}, INTERVAL '1' HOUR, INTERVAL '24' HOURS)"),
)

_ACTS = """SELECT `actor_id` AS `viewer_id`, `post_id`, `owner_id`, `at_ms`, `at`,
  CASE `action` WHEN 'like' THEN 1 WHEN 'unlike' THEN -1 ELSE 0 END AS `likes`,
  CASE `action` WHEN 'comment' THEN 1 ELSE 0 END AS `comments`,
  CASE `action` WHEN 'share' THEN 1 ELSE 0 END AS `shares`,
  CASE `action` WHEN 'save' THEN 1 WHEN 'unsave' THEN -1 ELSE 0 END AS `saves`,
  CAST(0 AS DOUBLE) AS `views`, {weight} AS `weight`
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY `actor_id`, `post_id`, `action`, `at_ms` ORDER BY `now` ASC) AS `nth`
  FROM `{acts}` WHERE `action` <> 'tick'
) WHERE `nth` = 1"""

_SEEN = f"""SELECT `viewer_id`, `post_id`, `owner_id`, `at_ms`, `at`, 0, 0, 0, 0,
  1 / `sample_rate`, CAST({VIEW_WEIGHT} AS DOUBLE) / `sample_rate`
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY `viewer_id`, `post_id`, `surface`, `at_ms` ORDER BY `now` ASC) AS `nth`
  FROM `{{seen}}` WHERE `post_id` <> 0
) WHERE `nth` = 1"""

_ABOUT = (
    ("post", "`post_id`", "`owner_id`", "0"),
    ("author", "0", "`owner_id`", "0"),
    ("affinity", "0", "`owner_id`", "`viewer_id`"),
)
_COUNTED = ("likes", "comments", "shares", "saves", "views")


def views(lateness_ms: int) -> Sequence[str]:
    """The statements that lead from acts to features."""
    judged = [
        view for event in READS for view in lateness_views(NAME, event, slide_ms=SLIDE_MS, lateness_ms=lateness_ms)
    ]
    return (*judged, *results(in_time(PostEngaged), in_time(PostViewed), lateness_ms))


def results(acts: str, seen: str, lateness_ms: int) -> Sequence[str]:
    """The statements that lead from what is in time to features.

    Args:
        acts: a table of acts.
        seen: a table of three-second views.
        lateness_ms: how long after its end a window is closed.
    """
    weight = " ".join(f"WHEN '{act}' THEN {value}" for act, value in WEIGHTS.items())
    happened = _ACTS.format(acts=acts, weight=f"CAST(CASE `action` {weight} ELSE 0 END AS DOUBLE)")
    facts = "\nUNION ALL\n".join(
        f"SELECT '{measured}' AS `measured`, {post} AS `post_id`, {author} AS `author_id`, {viewer} AS `viewer_id`,\n"
        f"  `at_ms`, `at`, {', '.join(f'`{name}`' for name in _COUNTED)}, `weight`\nFROM `engagement_happened`"
        for measured, post, author, viewer in _ABOUT
    )
    parts = {
        "engagement_happened": f"{happened}\nUNION ALL\n{_SEEN.format(seen=seen)}",
        "engagement_facts": facts,
        FEATURES: "\nUNION ALL\n".join(_measured(window, lateness_ms) for window in WINDOWS),
    }
    return [f"CREATE TEMPORARY VIEW `{name}` AS\n{query}" for name, query in parts.items()]


def insertions() -> Sequence[str]:
    """The statements that append what is found."""
    features = insertion(
        EngagementMeasured,
        FEATURES,
        key="CONCAT(CAST(`post_id` AS STRING), ':', CAST(`author_id` AS STRING), ':', CAST(`viewer_id` AS STRING))",
        identity=tuple(columns(EngagementMeasured)),
        at_ms="`valid_from_ms`",
        # When it could be known, which may be long after the window's end.
        recorded="CAST(CURRENT_TIMESTAMP AS TIMESTAMP_LTZ(3))",
    )
    return (features, *(late_insertion(event) for event in READS))


def _measured(window: Window, lateness_ms: int) -> str:
    """The features of windows of one length.

    Weights halve `HALF_LIVES` times within a window. They are summed by forward decay (Cormode et al., "Forward Decay",
    ICDE 2009): each grows with its distance from a landmark before it and is brought down to the window's end once. A
    landmark is a multiple of the window's length, so that a window spans two at most, which are told apart by parity.
    """
    length, half = window.length_ms, window.length_ms // HALF_LIVES
    block = f"`at_ms` / {length}"
    grown = f"`weight` * POWER(2, CAST(`at_ms` - {block} * {length} AS DOUBLE) / {half})"
    sums = ", ".join(f"SUM(`{name}`) AS `{name}`" for name in _COUNTED)
    end, landmark = "`end_ms`", f"(`end_ms` / {length}) * {length}"
    newer = f"CASE MOD(`end_ms` / {length}, 2) WHEN 0 THEN `even` ELSE `odd` END"
    older = f"CASE MOD(`end_ms` / {length}, 2) WHEN 0 THEN `odd` ELSE `even` END"
    down = f"POWER(2, -CAST({end} - {landmark} AS DOUBLE) / {half})"
    return f"""SELECT `measured`, `post_id`, `author_id`, `viewer_id`, CAST({length} AS BIGINT) AS `window_ms`,
  {end} + {lateness_ms} AS `valid_from_ms`, {end} + {lateness_ms + window.slide_ms} AS `valid_until_ms`,
  {", ".join(f"`{name}`" for name in _COUNTED)},
  {down} * ({newer} + {older} / {2**HALF_LIVES}) AS `rate`
FROM (
  SELECT `measured`, `post_id`, `author_id`, `viewer_id`,
    1000 * UNIX_TIMESTAMP(CAST(`window_end` AS STRING)) AS `end_ms`,
    {sums},
    COALESCE(SUM({grown}) FILTER (WHERE MOD({block}, 2) = 0), CAST(0 AS DOUBLE)) AS `even`,
    COALESCE(SUM({grown}) FILTER (WHERE MOD({block}, 2) = 1), CAST(0 AS DOUBLE)) AS `odd`
  FROM TABLE({window.call})
  GROUP BY `window_start`, `window_end`, `measured`, `post_id`, `author_id`, `viewer_id`
)"""
