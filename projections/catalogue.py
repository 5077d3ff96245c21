"""Every projection and every table, in one place: what runs, what a fresh store creates, what a rebuild makes."""

from collections.abc import Mapping
from typing import Any

from projections.accounts import ACCOUNTS, ACCOUNTS_PROJECTION
from projections.barred_hashtags import BARRED_HASHTAGS, BARRED_HASHTAGS_PROJECTION
from projections.blocks import BLOCKED_CONTENTS, BLOCKS_PROJECTION
from projections.close_friends import CLOSE_FRIENDS, CLOSE_FRIENDS_LIST, CLOSE_FRIENDS_PROJECTION
from projections.comment_likes import COMMENT_LIKE_COUNTS, COMMENT_LIKES, COMMENT_LIKES_PROJECTION
from projections.comments import (
    COMMENT_COUNTS,
    COMMENTS,
    COMMENTS_BY_POST,
    COMMENTS_PROJECTION,
    RANKED_COMMENTS,
    REPLIES,
    REPLY_COUNTS,
)
from projections.features import FEATURES, FEATURES_PROJECTION
from projections.fold import Projection
from projections.follower_heads import FOLLOWER_HEADS
from projections.graph import (
    BLOCKS,
    FOLLOW_REQUESTS,
    FOLLOWERS,
    FOLLOWINGS,
    GRAPH_COUNTS,
    GRAPH_PROJECTION,
    MUTES,
    PAIRS,
    SENT_REQUESTS,
)
from projections.likes import LIKE_COUNTS, LIKERS, LIKES, LIKES_PROJECTION
from projections.media import MEDIA, MEDIA_PROJECTION, REVIEWS
from projections.posts import MEDIA_POSTS, POST_COUNTS, POSTS, POSTS_BY_OWNER, POSTS_PROJECTION, PUBLISHED_POSTS
from projections.reports import REPORTS, REPORTS_BY_WEEK, REPORTS_PROJECTION
from projections.saves import SAVE_COUNTS, SAVED_POSTS, SAVES, SAVES_PROJECTION
from projections.seen_stories import SEEN, SEEN_STORIES, SEEN_STORIES_PROJECTION
from projections.shares import SHARE_COUNTS, SHARES, SHARES_PROJECTION
from projections.stories import LIVE_STORIES, MEDIA_STORIES, STORIES, STORIES_BY_OWNER, STORIES_PROJECTION
from projections.story_views import STORY_VIEW_MEMBERS, STORY_VIEWERS, STORY_VIEWS, STORY_VIEWS_PROJECTION
from projections.tables import Table
from projections.trending import PAST_TRENDS, TRENDING_PROJECTION, TRENDS

PROJECTIONS: tuple[Projection, ...] = (
    ACCOUNTS_PROJECTION,
    GRAPH_PROJECTION,
    POSTS_PROJECTION,
    MEDIA_PROJECTION,
    LIKES_PROJECTION,
    COMMENTS_PROJECTION,
    SAVES_PROJECTION,
    SHARES_PROJECTION,
    COMMENT_LIKES_PROJECTION,
    BLOCKS_PROJECTION,
    REPORTS_PROJECTION,
    BARRED_HASHTAGS_PROJECTION,
    TRENDING_PROJECTION,
    FEATURES_PROJECTION,
    STORIES_PROJECTION,
    CLOSE_FRIENDS_PROJECTION,
    SEEN_STORIES_PROJECTION,
    STORY_VIEWS_PROJECTION,
)

TABLES_OF: Mapping[str, tuple[Table[Any], ...]] = {
    ACCOUNTS_PROJECTION.name: (ACCOUNTS,),
    GRAPH_PROJECTION.name: (
        PAIRS,
        FOLLOWINGS,
        FOLLOWERS,
        FOLLOWER_HEADS,
        FOLLOW_REQUESTS,
        SENT_REQUESTS,
        BLOCKS,
        MUTES,
        GRAPH_COUNTS,
    ),
    POSTS_PROJECTION.name: (POSTS, POSTS_BY_OWNER, PUBLISHED_POSTS, MEDIA_POSTS, POST_COUNTS),
    MEDIA_PROJECTION.name: (MEDIA, REVIEWS),
    LIKES_PROJECTION.name: (LIKES, LIKERS, LIKE_COUNTS),
    COMMENTS_PROJECTION.name: (COMMENTS, COMMENTS_BY_POST, REPLIES, RANKED_COMMENTS, COMMENT_COUNTS, REPLY_COUNTS),
    SAVES_PROJECTION.name: (SAVES, SAVED_POSTS, SAVE_COUNTS),
    SHARES_PROJECTION.name: (SHARES, SHARE_COUNTS),
    COMMENT_LIKES_PROJECTION.name: (COMMENT_LIKES, COMMENT_LIKE_COUNTS),
    BLOCKS_PROJECTION.name: (BLOCKED_CONTENTS,),
    REPORTS_PROJECTION.name: (REPORTS, REPORTS_BY_WEEK),
    BARRED_HASHTAGS_PROJECTION.name: (BARRED_HASHTAGS,),
    TRENDING_PROJECTION.name: (TRENDS, PAST_TRENDS),
    FEATURES_PROJECTION.name: (FEATURES,),
    STORIES_PROJECTION.name: (STORIES, STORIES_BY_OWNER, LIVE_STORIES, MEDIA_STORIES),
    CLOSE_FRIENDS_PROJECTION.name: (CLOSE_FRIENDS, CLOSE_FRIENDS_LIST),
    SEEN_STORIES_PROJECTION.name: (SEEN, SEEN_STORIES),
    STORY_VIEWS_PROJECTION.name: (STORY_VIEWS, STORY_VIEW_MEMBERS, STORY_VIEWERS),
}
"""The tables that each projection writes, and nothing else does."""

TABLES: tuple[Table[Any], ...] = tuple(table for tables in TABLES_OF.values() for table in tables)

OWNER_OF: Mapping[str, str] = {table.name: name for name, tables in TABLES_OF.items() for table in tables}
"""The projection that writes each table."""
