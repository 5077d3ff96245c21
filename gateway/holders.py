"""What shows media: the posts and stories that hold it, as operators ask."""

from collections.abc import Iterable

from gateway.services import Services
from projections.media import MediaRow
from projections.posts import MEDIA_POSTS, POSTS, PostRow
from projections.stories import MEDIA_STORIES, STORIES, StoryRow

HOLDERS_MAX = 100
"""Posts, and stories, of one photograph or video that are looked at."""


async def posts_with(services: Services, media: Iterable[MediaRow]) -> list[PostRow]:
    """The posts that hold any of these, `HOLDERS_MAX` of each at most."""
    post_ids: dict[int, None] = {}
    for one in media:
        holding = await services.rows.scan(MEDIA_POSTS, (one.media_id,), limit=HOLDERS_MAX)
        post_ids.update(dict.fromkeys(row.post_id for row in holding))
    return [post for post in await services.rows.get_many([POSTS.key(one) for one in post_ids]) if post is not None]


async def stories_with(services: Services, media: Iterable[MediaRow]) -> list[StoryRow]:
    """The stories that show any of these, live or over, `HOLDERS_MAX` of each at most."""
    story_ids: dict[int, None] = {}
    for one in media:
        telling = await services.rows.scan(MEDIA_STORIES, (one.media_id,), limit=HOLDERS_MAX)
        story_ids.update(dict.fromkeys(row.story_id for row in telling))
    found = await services.rows.get_many([STORIES.key(one) for one in story_ids])
    return [story for story in found if story is not None]
