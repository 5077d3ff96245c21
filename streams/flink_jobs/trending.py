"""Trending hashtags: how many people used each within an hour, every five minutes, everywhere and in each coarse cell.

Exact: people are told apart, not estimated, and somebody who uses a hashtag ten times within the hour is one person.
"""

from collections.abc import Sequence

from schemas.events import HashtagsRanked, HashtagUsed
from streams.flink_jobs.lateness import in_time, late_insertion, lateness_views
from streams.flink_jobs.tables import insertion

NAME = "trending"
READS = (HashtagUsed,)
SLIDE_MS = 300_000
WINDOW_MS = 3_600_000
TOP = 500
WORLD = "world"
LISTS, RANKED = "trending_lists", "trending_ranked_ms"

_USES = f"""SELECT '{WORLD}' AS `scope`, `hashtag`, `owner_id`, `at` FROM `{{uses}}` WHERE `hashtag` <> ''
UNION ALL
SELECT `coarse_cell`, `hashtag`, `owner_id`, `at` FROM `{{uses}}`
WHERE `hashtag` <> '' AND `coarse_cell` <> ''"""

_PEOPLE = """SELECT `window_start`, `window_end`, `scope`, `hashtag`, COUNT(DISTINCT `owner_id`) AS `people`
FROM TABLE(HOP(TABLE `trending_uses`, DESCRIPTOR(`at`), INTERVAL '5' MINUTES, INTERVAL '60' MINUTES))
GROUP BY `window_start`, `window_end`, `scope`, `hashtag`"""

_RANKED = f"""SELECT `window_start`, `window_end`, `scope`, `hashtag`, `people` FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY `window_start`, `window_end`, `scope` ORDER BY `people` DESC, `hashtag` ASC) AS `rank`
  FROM `trending_people`
) WHERE `rank` <= {TOP}"""

_BOUNDS = """1000 * UNIX_TIMESTAMP(CAST(`window_start` AS STRING)) AS `window_start_ms`,
  1000 * UNIX_TIMESTAMP(CAST(`window_end` AS STRING)) AS `window_end_ms`"""

_LISTS = f"""SELECT `scope`, {_BOUNDS},
  ARRAY_AGG(CAST(ROW(`hashtag`, `people`) AS ROW<`hashtag` STRING NOT NULL, `people` BIGINT NOT NULL>)) AS `hashtags`
FROM `trending_ranked` GROUP BY `window_start`, `window_end`, `scope`"""


def views(lateness_ms: int) -> Sequence[str]:
    """The statements that lead from uses to lists. Lists come in no order: who reads them sorts them."""
    return (
        *lateness_views(NAME, HashtagUsed, slide_ms=SLIDE_MS, lateness_ms=lateness_ms),
        *results(in_time(HashtagUsed)),
    )


def results(uses: str) -> Sequence[str]:
    """The statements that lead from uses that are in time to lists.

    Args:
        uses: a table of uses, whatever made it.
    """
    parts = {
        "trending_uses": _USES.format(uses=uses),
        "trending_people": _PEOPLE,
        "trending_ranked": _RANKED,
        LISTS: _LISTS,
        RANKED: f"SELECT `scope`, {_BOUNDS}, `hashtag`, `people` FROM `trending_ranked`",
    }
    return [f"CREATE TEMPORARY VIEW `{name}` AS\n{query}" for name, query in parts.items()]


def insertions() -> Sequence[str]:
    """The statements that append what is found."""
    lists = insertion(
        HashtagsRanked, LISTS, key="`scope`", identity=("scope", "window_end_ms", "hashtags"), at_ms="`window_end_ms`"
    )
    return lists, late_insertion(HashtagUsed)
