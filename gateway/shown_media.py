"""Which media a viewer may see, and by which posts anybody may: one reading for the gateway and for the edge."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.visibility import (
    Seen,
    look_at,
    may_see_kept_story,
    may_see_post,
    may_see_posts_of,
    may_see_story,
    nothing_here,
)
from photolog.ids import now_ms
from projections.close_friends import CLOSE_FRIENDS
from projections.highlights import HIGHLIGHTED_STORIES
from projections.media import MEDIA, MediaRow, stored_files
from projections.posts import MEDIA_POSTS, POSTS, PostRow
from projections.relations import NO_RELATION
from projections.stores.port import RowStore
from projections.stories import MEDIA_STORIES, STORIES, StoryRow
from schemas.events import MediaVariant

POSTS_MAX = 20
"""Posts of one media record that are asked whether it may be seen."""
STORIES_MAX = 400
"""Stories of one media record that are asked: one a day for more than a year."""
HIGHLIGHTS_MAX = 20
"""Highlights of one story that are asked."""


@dataclass(frozen=True, slots=True)
class ShownMedia:
    """Media that the viewer may see.

    Args:
        media: its row; it is ready.
        public_posts: the posts by which anybody may see it; none where not everybody may.
    """

    media: MediaRow
    public_posts: tuple[int, ...]

    @property
    def files(self) -> list[MediaVariant]:
        """All its stored files."""
        return stored_files(self.media)

    def stored(self, name: str) -> MediaVariant:
        """The stored file of a name. Raises NotFound where it has none."""
        found = next((one for one in self.files if one.name == name), None)
        if found is None:
            raise nothing_here()
        return found


async def see_media(
    rows: RowStore, viewer_id: int | None, media_id: int, clock_ms: Callable[[], int] = now_ms
) -> ShownMedia:
    """Media of the viewer's own, or of a post that they may see, or a story, live or in a highlight.

    Raises:
        NotFound: any other, and what is refused or was taken down, which nobody may see.
    """
    media, holding, telling = await asyncio.gather(
        rows.get(MEDIA.key(media_id)),
        rows.scan(MEDIA_POSTS, (media_id,), limit=POSTS_MAX),
        rows.scan(MEDIA_STORIES, (media_id,), limit=STORIES_MAX),
    )
    if media is None or media.status != "ready" or media.is_banned:
        raise nothing_here()
    posts = [post for post in await rows.get_many([POSTS.key(row.post_id) for row in holding]) if post is not None]
    people = await look_at(rows, viewer_id, {media.owner_id, *(post.owner_id for post in posts)})
    own = media.owner_id == viewer_id and media.owner_id in people
    shown = own or any(_shows(viewer_id, post, people) for post in posts)
    if not shown and not await _is_in_a_story(rows, viewer_id, [row.story_id for row in telling], clock_ms()):
        raise nothing_here()
    return ShownMedia(media, tuple(post.post_id for post in posts if _shows_everybody(post, people)))


async def _is_in_a_story(rows: RowStore, viewer_id: int | None, story_ids: Sequence[int], now_ms: int) -> bool:
    """Whether one of these stories is there for the viewer. No story is for everybody, so none makes media public."""
    if viewer_id is None or not story_ids:
        return False
    stories = [story for story in await rows.get_many([STORIES.key(one) for one in story_ids]) if story is not None]
    owners = {story.owner_id for story in stories}
    people, close, kept = await asyncio.gather(
        look_at(rows, viewer_id, owners),
        rows.get_many([CLOSE_FRIENDS.key(owner_id, viewer_id) for owner_id in owners]),
        _highlighted(rows, [story for story in stories if not story.is_live(now_ms)]),
    )
    close_to = {row.owner_id for row in close if row is not None}
    return any(
        may_see_story(viewer_id, story, seen.account, seen.relation, story.owner_id in close_to, now_ms)
        or (story.story_id in kept and _shows_kept(viewer_id, story, seen, story.owner_id in close_to))
        for story in stories
        if (seen := people.get(story.owner_id)) is not None
    )


def _shows_kept(viewer_id: int, story: StoryRow, owner: Seen, close_friend: bool) -> bool:
    open_to = may_see_posts_of(viewer_id, owner.account, owner.relation)
    return open_to and may_see_kept_story(viewer_id, story, close_friend)


async def _highlighted(rows: RowStore, stories: Sequence[StoryRow]) -> set[int]:
    """Which of these stories are in a highlight of their owner's."""
    listed = await asyncio.gather(
        *(rows.scan(HIGHLIGHTED_STORIES, (story.story_id,), limit=HIGHLIGHTS_MAX) for story in stories)
    )
    return {
        story.story_id
        for story, found in zip(stories, listed, strict=True)
        if any(row.owner_id == story.owner_id for row in found)
    }


def _shows(viewer_id: int | None, post: PostRow, people: Mapping[int, Seen]) -> bool:
    author = people.get(post.owner_id)
    return author is not None and may_see_post(viewer_id, post, author.account, author.relation)


def _shows_everybody(post: PostRow, people: Mapping[int, Seen]) -> bool:
    author = people.get(post.owner_id)
    return author is not None and may_see_post(None, post, author.account, NO_RELATION)
