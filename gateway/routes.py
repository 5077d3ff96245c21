"""Every endpoint of the gateway, one line for each capability."""

from gateway.commands import accounts as account_commands
from gateway.commands import barred_hashtags as barred_hashtag_commands
from gateway.commands import blocks as block_commands
from gateway.commands import close_friends as close_friend_commands
from gateway.commands import comment_likes as comment_like_commands
from gateway.commands import comments as comment_commands
from gateway.commands import erasure as erasure_commands
from gateway.commands import exports as export_commands
from gateway.commands import graph as graph_commands
from gateway.commands import highlights as highlight_commands
from gateway.commands import likes as like_commands
from gateway.commands import moderation as moderation_commands
from gateway.commands import operator as operator_commands
from gateway.commands import posts as post_commands
from gateway.commands import reports as report_commands
from gateway.commands import saves as save_commands
from gateway.commands import sessions as session_commands
from gateway.commands import shares as share_commands
from gateway.commands import stories as story_commands
from gateway.commands import story_replies as story_reply_commands
from gateway.commands import story_views as story_view_commands
from gateway.commands import takedowns as takedown_commands
from gateway.commands import telemetry as telemetry_commands
from gateway.commands import uploads as upload_commands
from gateway.endpoint import Endpoint
from gateway.queries import accounts as account_queries
from gateway.queries import close_friends as close_friend_queries
from gateway.queries import comments as comment_queries
from gateway.queries import erasures as erasure_queries
from gateway.queries import feed as feed_queries
from gateway.queries import graph as graph_queries
from gateway.queries import highlights as highlight_queries
from gateway.queries import likes as like_queries
from gateway.queries import media as media_queries
from gateway.queries import moderation as moderation_queries
from gateway.queries import positions as position_queries
from gateway.queries import posts as post_queries
from gateway.queries import reports as report_queries
from gateway.queries import saves as save_queries
from gateway.queries import stories as story_queries
from gateway.queries import story_archive as story_archive_queries
from gateway.queries import story_replies as story_reply_queries
from gateway.queries import story_tray as story_tray_queries
from gateway.queries import streams as stream_queries
from gateway.queries import trending as trending_queries
from gateway.queries import uploads as upload_queries

ENDPOINTS: tuple[Endpoint, ...] = (
    *account_commands.ENDPOINTS,
    *session_commands.ENDPOINTS,
    *account_queries.ENDPOINTS,
    *graph_commands.ENDPOINTS,
    *graph_queries.ENDPOINTS,
    *upload_commands.ENDPOINTS,
    *upload_queries.ENDPOINTS,
    *post_commands.ENDPOINTS,
    *post_queries.ENDPOINTS,
    *media_queries.ENDPOINTS,
    *feed_queries.ENDPOINTS,
    *trending_queries.ENDPOINTS,
    *like_commands.ENDPOINTS,
    *comment_commands.ENDPOINTS,
    *comment_queries.ENDPOINTS,
    *comment_like_commands.ENDPOINTS,
    *like_queries.ENDPOINTS,
    *save_commands.ENDPOINTS,
    *save_queries.ENDPOINTS,
    *share_commands.ENDPOINTS,
    *report_commands.ENDPOINTS,
    *report_queries.ENDPOINTS,
    *telemetry_commands.ENDPOINTS,
    *story_view_commands.ENDPOINTS,
    *story_commands.ENDPOINTS,
    *story_tray_queries.ENDPOINTS,  # its paths go before `/v1/stories/{story_id}`
    *story_queries.ENDPOINTS,
    *close_friend_commands.ENDPOINTS,
    *close_friend_queries.ENDPOINTS,
    *story_reply_commands.ENDPOINTS,
    *story_reply_queries.ENDPOINTS,
    *story_archive_queries.ENDPOINTS,
    *highlight_commands.ENDPOINTS,
    *highlight_queries.ENDPOINTS,
    *operator_commands.ENDPOINTS,
    *moderation_commands.ENDPOINTS,
    *takedown_commands.ENDPOINTS,
    *block_commands.ENDPOINTS,
    *barred_hashtag_commands.ENDPOINTS,
    *moderation_queries.ENDPOINTS,
    *erasure_commands.ENDPOINTS,
    *erasure_queries.ENDPOINTS,
    *export_commands.ENDPOINTS,
    *position_queries.ENDPOINTS,
    *stream_queries.ENDPOINTS,
)
