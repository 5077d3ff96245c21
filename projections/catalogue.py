"""Every projection and every table, in one place: what runs, what a fresh store creates, what a rebuild makes."""

from typing import Any

from projections.accounts import ACCOUNTS, ACCOUNTS_PROJECTION
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
from projections.media import MEDIA, MEDIA_PROJECTION
from projections.posts import MEDIA_POSTS, POST_COUNTS, POSTS, POSTS_BY_OWNER, POSTS_PROJECTION, PUBLISHED_POSTS
from projections.reports import REPORTS, REPORTS_BY_WEEK, REPORTS_PROJECTION
from projections.saves import SAVE_COUNTS, SAVED_POSTS, SAVES, SAVES_PROJECTION
from projections.shares import SHARE_COUNTS, SHARES, SHARES_PROJECTION
from projections.tables import Table

TABLES: tuple[Table[Any], ...] = (
    ACCOUNTS,
    PAIRS,
    FOLLOWINGS,
    FOLLOWERS,
    FOLLOWER_HEADS,
    FOLLOW_REQUESTS,
    SENT_REQUESTS,
    BLOCKS,
    MUTES,
    GRAPH_COUNTS,
    POSTS,
    POSTS_BY_OWNER,
    PUBLISHED_POSTS,
    MEDIA_POSTS,
    POST_COUNTS,
    MEDIA,
    LIKES,
    LIKE_COUNTS,
    COMMENTS,
    COMMENTS_BY_POST,
    COMMENT_COUNTS,
    LIKERS,
    SAVES,
    SAVED_POSTS,
    SAVE_COUNTS,
    SHARES,
    SHARE_COUNTS,
    REPLIES,
    RANKED_COMMENTS,
    REPLY_COUNTS,
    COMMENT_LIKES,
    COMMENT_LIKE_COUNTS,
    REPORTS,
    REPORTS_BY_WEEK,
)

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
    REPORTS_PROJECTION,
)
