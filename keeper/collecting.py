"""Collecting media that no post holds, in three steps, each of which follows from an event of the one before.

- An upload's answer, a post's deletion, or `media.kept` is as old as the grace period: what nothing holds is
  `media.collected`, and no new post may be made of it.
- `media.collected` is folded, and every command has ended that may have read the row before: the posts are looked at
  again, and it is `media.kept` where one holds it, else `media.removed`.
- `media.removed` is folded: its files are deleted.

The last look and the deletion are apart because two keepers may look at once, of whom one sees a post and the other, a
moment later, its deletion. Of what they conclude the log has one come first, and only that counts: the fold takes a
verdict about the collection that is open, and nothing else.
"""

from collections.abc import Iterable

import structlog

from keeper.metrics import REMOVED
from keeper.resources import KeeperResources
from keeper.rules import Told
from projections.media import MEDIA, MediaRow
from projections.posts import MEDIA_POSTS, POSTS, POSTS_PROJECTION
from schemas.events import MediaCollected, MediaKept, MediaRemoved, Purpose

POSTED: tuple[Purpose, ...] = ("post", "reel")
"""What uploads are for that only posts hold; others are left."""
logger = structlog.get_logger(__name__)


async def collect_unposted(resources: KeeperResources, told: Told) -> None:
    """After an upload's answer: begin to collect it where no post holds it.

    What was kept is looked at once more as well: the post that held it may have gone before that was folded.
    """
    await resources.media_of(told)
    await _collect(resources, told, [told.event.media_id])


async def collect_unheld(resources: KeeperResources, told: Told) -> None:
    """After a post's deletion: begin to collect what it held and no other holds."""
    await resources.models.past(POSTS_PROJECTION.name, [told.position])
    post = await resources.rows.get(POSTS.key(told.event.post_id))
    # Where another's event named the post, it stands.
    if post is not None and post.status == "deleted":
        await _collect(resources, told, post.media_ids)


async def judge(resources: KeeperResources, told: Told) -> None:
    """After `media.collected`: decide, once nobody can have made a post of it any more."""
    media_id, collection = told.event.media_id, told.event_id
    row = await resources.media_of(told)
    if row is None or row.status != "collected" or row.collection != collection:
        return  # decided before, or put aside
    # The row was seen to be collected, so this is long enough whenever it came to be.
    await resources.sleep(resources.settle_seconds)
    await resources.past_posts()
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
    await resources.past_posts()
    for media_id in media_ids:
        row = await resources.rows.get(MEDIA.key(media_id))
        if row is None or row.status != "ready" or row.purpose not in POSTED or await _held(resources, media_id):
            continue
        event = MediaCollected(media_id=media_id, owner_id=row.owner_id)
        await resources.append(told, event, f"{event.type}/{media_id}/{told.event_id}")


async def _held(resources: KeeperResources, media_id: int) -> bool:
    """Whether a post that is not deleted holds media, as far as rows tell."""
    return bool(await resources.rows.scan(MEDIA_POSTS, (media_id,), limit=1))


async def _may_be_held(resources: KeeperResources, row: MediaRow) -> bool:
    """Whether a post that is not deleted holds media, or one may that is put aside: nothing is removed meanwhile."""
    if await resources.models.parked(POSTS_PROJECTION.name, str(row.owner_id).encode()):
        logger.warning("collection-postponed", media_id=row.media_id, cause="posts of its owner are dead letters")
        return True
    return await _held(resources, row.media_id)
