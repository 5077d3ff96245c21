"""Every table that knows of accounts: which columns name one, what in it is personal, and what an erasure leaves.

Export and scan are made from this, and a test holds it to the catalogue: a table that names an account and is not
listed here fails the build.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from projections.accounts import ACCOUNTS
from projections.catalogue import TABLES
from projections.close_friends import CLOSE_FRIENDS, CLOSE_FRIENDS_LIST
from projections.comment_likes import COMMENT_LIKES
from projections.comments import COMMENTS, COMMENTS_BY_POST, REPLIES
from projections.features import FEATURES
from projections.follower_heads import FOLLOWER_HEADS
from projections.graph import (
    BLOCKS,
    FOLLOW_REQUESTS,
    FOLLOWERS,
    FOLLOWINGS,
    GRAPH_COUNTS,
    MUTES,
    PAIRS,
    SENT_REQUESTS,
)
from projections.highlights import HIGHLIGHTED_STORIES, HIGHLIGHTS, HIGHLIGHTS_BY_OWNER
from projections.likes import LIKERS, LIKES
from projections.media import MEDIA, REVIEWS
from projections.posts import POST_COUNTS, POSTS, POSTS_BY_OWNER, PUBLISHED_POSTS
from projections.reports import REPORTS, REPORTS_BY_WEEK
from projections.saves import SAVED_POSTS, SAVES
from projections.seen_stories import SEEN, SEEN_STORIES
from projections.shares import SHARES
from projections.stories import LIVE_STORIES, STORIES, STORIES_BY_OWNER
from projections.story_replies import STORY_ANSWERS, STORY_REACTIONS, STORY_REPLIES
from projections.story_views import STORY_VIEW_MEMBERS, STORY_VIEWERS
from projections.tables import Row, Table

Fate = Literal["gone", "emptied", "kept"]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a table holds of an account.

    Args:
        table: the table.
        owners: columns that name the account whose row it is. Two of them: of either.
        personal: columns that hold what a person wrote.
        fate: what an erasure makes of the account's rows: `gone`; `emptied` of everything personal; `kept`, because
            they hold ids, counts and times only.
        others: columns that name an account whose row it is not.
    """

    table: Table[Any]
    owners: tuple[str, ...]
    personal: tuple[str, ...] = ()
    fate: Fate = "gone"
    others: tuple[str, ...] = ()

    def is_of(self, account_id: int, row: Row) -> bool:
        """Whether a row is the account's."""
        return any(getattr(row, owner) == account_id for owner in self.owners)

    def is_left(self, row: Row) -> bool:
        """Whether a row of an erased account should not be as it is."""
        if self.fate == "gone":
            return True
        return self.fate == "emptied" and any(getattr(row, column) for column in self.personal)


COVERAGE: tuple[Coverage, ...] = (
    Coverage(ACCOUNTS, ("account_id",), ("username", "display_name", "bio"), "emptied"),
    Coverage(PAIRS, ("low_id", "high_id"), fate="kept"),
    Coverage(FOLLOWINGS, ("follower_id", "followee_id")),
    Coverage(FOLLOWERS, ("followee_id", "follower_id")),
    Coverage(FOLLOWER_HEADS, ("followee_id",), fate="kept", others=("follower_ids",)),
    Coverage(FOLLOW_REQUESTS, ("followee_id", "follower_id")),
    Coverage(SENT_REQUESTS, ("follower_id", "followee_id")),
    Coverage(BLOCKS, ("blocker_id",), others=("blocked_id",)),
    Coverage(MUTES, ("muter_id",), others=("muted_id",)),
    Coverage(GRAPH_COUNTS, ("account_id",), fate="kept"),
    Coverage(
        POSTS,
        ("owner_id",),
        (
            "caption",
            "mentions",
            "hashtags",
            "alt_texts",
            "location_name",
            "location_latitude",
            "location_longitude",
            "coarse_cell",
        ),
        "emptied",
    ),
    Coverage(POSTS_BY_OWNER, ("owner_id",)),
    Coverage(PUBLISHED_POSTS, ("owner_id",)),
    Coverage(POST_COUNTS, ("account_id",), fate="kept"),
    Coverage(MEDIA, ("owner_id",), fate="kept"),
    Coverage(REVIEWS, ("owner_id",)),
    Coverage(LIKES, ("actor_id",)),
    Coverage(COMMENTS, ("author_id",)),
    Coverage(COMMENTS_BY_POST, ("author_id",), ("text",)),
    Coverage(REPLIES, ("author_id",), ("text",), others=("answered_id",)),
    Coverage(LIKERS, ("actor_id",)),
    Coverage(SAVES, ("actor_id",)),
    Coverage(SAVED_POSTS, ("actor_id",), others=("owner_id",)),
    Coverage(SHARES, ("actor_id",), fate="kept"),
    Coverage(COMMENT_LIKES, ("actor_id",)),
    Coverage(FEATURES, ("author_id", "viewer_id"), fate="kept"),
    Coverage(REPORTS, ("reporter_id",)),
    Coverage(REPORTS_BY_WEEK, ("reporter_id",), ("note",), others=("owner_id",)),
    Coverage(STORIES, ("owner_id",), ("alt_text",), "emptied"),
    Coverage(STORIES_BY_OWNER, ("owner_id",)),
    Coverage(LIVE_STORIES, ("owner_id",), ("alt_text",)),
    Coverage(CLOSE_FRIENDS, ("owner_id", "friend_id")),
    Coverage(CLOSE_FRIENDS_LIST, ("owner_id", "friend_id")),
    Coverage(STORY_ANSWERS, ("sender_id",), ("reaction",)),
    Coverage(STORY_REPLIES, ("sender_id",), ("text",)),
    Coverage(STORY_REACTIONS, ("sender_id",), ("reaction",)),
    Coverage(HIGHLIGHTS, ("owner_id",), ("title",)),
    Coverage(HIGHLIGHTS_BY_OWNER, ("owner_id",)),
    Coverage(HIGHLIGHTED_STORIES, ("owner_id",)),
    # These end by themselves within two days.
    Coverage(SEEN, ("viewer_id",), fate="kept"),
    Coverage(SEEN_STORIES, ("viewer_id",), fate="kept"),
    Coverage(STORY_VIEW_MEMBERS, ("viewer_id",), fate="kept"),
    Coverage(STORY_VIEWERS, ("viewer_id",), fate="kept"),
)

NAMELESS: frozenset[str] = frozenset(
    {
        "barred_hashtags",
        "blocked_contents",
        "comment_counts",
        "comment_like_counts",
        "like_counts",
        "media_posts",
        "past_trends",
        "media_stories",
        "ranked_comments",
        "reply_counts",
        "save_counts",
        "share_counts",
        "trends",
        "story_views",
    }
)
"""Tables that name no account."""

BY_TABLE: Mapping[str, Coverage] = {coverage.table.name: coverage for coverage in COVERAGE}


def columns_of(table: Table[Any]) -> tuple[str, ...]:
    """The columns of a table's rows."""
    return tuple(field.name for field in msgspec.structs.fields(table.row))


def uncovered() -> list[str]:
    """Tables of the catalogue that are listed in neither place."""
    return [table.name for table in TABLES if table.name not in BY_TABLE and table.name not in NAMELESS]
