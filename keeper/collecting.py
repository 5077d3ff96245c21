"""Collecting media that no post and no story holds, in three steps, each of which follows from an event of the one
before.

- An upload's answer, the end of a post or a story, or `media.kept` is as old as the grace period: what nothing holds is
  `media.collected`, and nothing new may be made of it.
- `media.collected` is folded, and every command has ended that may have read the row before: posts and stories are
  looked at again, and it is `media.kept` where one holds it, else `media.removed`.
- `media.removed` is folded: its files are deleted.

The last look and the deletion are apart because two keepers may look at once, of whom one sees a post and the other, a
moment later, its deletion. Of what they conclude the log has one come first, and only that counts: the fold takes a
verdict about the collection that is open, and nothing else.

A story holds its media for ever, unless it is deleted or never came to be shown: its owner's archive and highlights
show it when its day is over.
"""

from collections.abc import Iterable

import structlog

from keeper.metrics import REMOVED
from keeper.resources import HOLDERS, KeeperResources
from keeper.rules import Told
from projections.media import MEDIA, MediaRow
from projections.posts import MEDIA_POSTS, POSTS, POSTS_PROJECTION
from projections.stories import MEDIA_STORIES, STORIES, STORIES_PROJECTION
from schemas.events import MediaCollected, MediaKept, MediaRemoved, Purpose

HELD: tuple[Purpose, ...] = ("post", "reel", "story")
"""What uploads are for that posts and stories hold; others are left."""
_STORIES_MAX = 100
"""Stories of one medium that are looked at; of more, one is taken to hold it."""
logger = structlog.get_logger(__name__)


async def collect_unposted(resources: KeeperResources, told: Told) -> None:
    """After an upload's answer: begin to collect it where nothing holds it.

    What was kept is looked at once more as well: what held it may have gone before that was folded.
    """
    await resources.media_of(told)
    await _collect(resources, told, [told.event.media_id])


async def collect_unheld(resources: KeeperResources, told: Told) -> None:
    """After a post's deletion: begin to collect what it held and nothing else holds."""
    await resources.models.past(POSTS_PROJECTION.name, [told.position])
    post = await resources.rows.get(POSTS.key(told.event.post_id))
    # Where another's event named the post, it stands.
    if post is not None and post.status == "deleted":
        await _collect(resources, told, post.media_ids)


async def collect_untold(resources: KeeperResources, told: Told) -> None:
    """After a story was deleted or rejected: begin to collect what it held and nothing else holds."""
    await resources.models.past(STORIES_PROJECTION.name, [told.position])
    story = await resources.rows.get(STORIES.key(told.event.story_id))
    if story is not None and story.status in ("deleted", "rejected"):
        await _collect(resources, told, [story.media_id])


async def judge(resources: KeeperResources, told: Told) -> None:
    """After `media.collected`: decide, once nobody can have made anything of it any more."""
    media_id, collection = told.event.media_id, told.event_id
    row = await resources.media_of(told)
    if row is None or row.status != "collected" or row.collection != collection:
        return  # decided before, or put aside
    # The row was seen to be collected, so this is long enough whenever it came to be.
    await resources.sleep(resources.settle_seconds)
    await resources.past_holders()
    verdict = MediaKept if await _may_be_held(resources, row) else MediaRemoved
    event = verdict(media_id=media_id, owner_id=row.owner_id, collection=collection)
    await resources.append(told, event, f"{event.type}/{media_id}/{collection}")


async def remove_collected(resources: KeeperResources, told: Told) -> None:
    """After `media.removed`: delete the files."""
    row = await resources.media_of(told)
    if row is not None and row.status == "removed":
        REMOVED.labels("removed").inc(await resources.files.remove(row))


async def _collect(resources: KeeperResources, told: Told, media_ids: Iterable[int]) -> None:
    """Begin to collect those of these that are ready and that nothing holds. Each cause begins another collection."""
    await resources.past_holders()
    for media_id in media_ids:
        row = await resources.rows.get(MEDIA.key(media_id))
        if row is None or row.status != "ready" or row.purpose not in HELD or await _held(resources, media_id):
            continue
        event = MediaCollected(media_id=media_id, owner_id=row.owner_id)
        await resources.append(told, event, f"{event.type}/{media_id}/{told.event_id}")


async def _held(resources: KeeperResources, media_id: int) -> bool:
    """Whether a post or a story that is not gone holds media, as far as rows tell."""
    if await resources.rows.scan(MEDIA_POSTS, (media_id,), limit=1):
        return True
    listed = await resources.rows.scan(MEDIA_STORIES, (media_id,), limit=_STORIES_MAX)
    stories = await resources.rows.get_many([STORIES.key(one.story_id) for one in listed])
    # One that is listed and has no row yet is being written.
    return len(listed) == _STORIES_MAX or any(
        story is None or story.status in ("processing", "published") for story in stories
    )


async def _may_be_held(resources: KeeperResources, row: MediaRow) -> bool:
    """Whether a post or a story that is not gone holds media, or one may that is put aside: nothing is removed
    meanwhile."""
    for holder in HOLDERS:
        if await resources.models.parked(holder.name, str(row.owner_id).encode()):
            cause = f"{holder.name} of its owner are dead letters"
            logger.warning("collection-postponed", media_id=row.media_id, cause=cause)
            return True
    return await _held(resources, row.media_id)
