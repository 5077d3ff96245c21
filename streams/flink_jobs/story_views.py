"""Story views: how many people saw each story, told again with every new viewer.

A count is absolute and only grows: whoever keeps the greatest one has the true one. State lasts for twice a story's
life, so that a repeated view of a story that is still there is never another one.
"""

from collections.abc import Sequence

from schemas.events import StoryViewCounted, StoryViewed
from streams.flink_jobs.tables import insertion, table_name

NAME = "story-views"
READS = (StoryViewed,)
STATE_MS = 2 * 86_400_000
COUNTS, TOTALS = "story_view_counts_told", "story_view_totals"

_FIRST = f"""SELECT `story_id`, `owner_id`, `viewer_id`, `at_ms` AS `viewed_ms`, `expires_ms`, `now` FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY `story_id`, `viewer_id` ORDER BY `now` ASC) AS `nth`
  FROM `{table_name(StoryViewed)}`
) WHERE `nth` = 1"""

_COUNTS = """SELECT `story_id`, `owner_id`, `viewer_id`, `viewed_ms`, `expires_ms`, COUNT(*) OVER (
  PARTITION BY `story_id` ORDER BY `now` ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS `views`
FROM `story_first_views`"""


def views(lateness_ms: int) -> Sequence[str]:
    """The statements that lead from views to counts. Nothing is ever late: there is no window to close."""
    return [
        f"CREATE TEMPORARY VIEW `{name}` AS\n{query}"
        for name, query in {"story_first_views": _FIRST, COUNTS: _COUNTS}.items()
    ]


def totals(views: str) -> Sequence[str]:
    """The statements that lead from all views at once to what was told last of each story, whoever was its last viewer.

    Args:
        views: a table of views.
    """
    query = f"""SELECT `story_id`, MAX(`owner_id`) AS `owner_id`, CAST(0 AS BIGINT) AS `viewer_id`,
  MAX(`at_ms`) AS `viewed_ms`, COUNT(DISTINCT `viewer_id`) AS `views`, MAX(`expires_ms`) AS `expires_ms`
FROM `{views}` GROUP BY `story_id`"""
    return (f"CREATE TEMPORARY VIEW `{TOTALS}` AS\n{query}",)


def insertions() -> Sequence[str]:
    """The statements that append what is found."""
    key = "CAST(`story_id` AS STRING)"
    # A viewer who is told again after a crash with a greater count is no repeat: that count may be told by nobody else.
    identity = ("story_id", "viewer_id", "views")
    return (insertion(StoryViewCounted, COUNTS, key=key, identity=identity, at_ms="`viewed_ms`"),)
