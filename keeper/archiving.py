"""Moving the files of a story that is over to the archive: copied, named by the row, and only then deleted."""

from collections.abc import Iterable
from contextlib import suppress

import msgspec

from keeper.metrics import REMOVED
from keeper.resources import KeeperResources
from keeper.rules import Told
from photolog.engines.object_store import ObjectAbsent
from photolog.media.files import ARCHIVE, archive_prefix
from photolog.media.originals import original_key
from projections.accounts import ACCOUNTS
from projections.media import MEDIA, MediaRow, stored_files
from projections.stories import MEDIA_STORIES, STORIES, STORIES_PROJECTION
from schemas.events import MediaArchived, MediaVariant, StoryPublished

SHOWN_SECONDS_MAX = 86_400.0
"""As long as a story may be shown by the settings: one whose event says more holds nothing up for longer."""
_STORIES_MAX = 100
"""Stories of one medium that are looked at."""


def shown_seconds(event: StoryPublished) -> float:
    """For how long a story is shown, as its publication says: settings may have changed since."""
    return min((event.expires_ms - event.published_ms) / 1_000, SHOWN_SECONDS_MAX)


async def archive(resources: KeeperResources, told: Told) -> None:
    """When a story is over: copy its files and say where they are. An upload of its own stays where it is. What only
    stories hold that are deleted is left to be collected."""
    event: StoryPublished = told.event
    await resources.models.past(STORIES_PROJECTION.name, [told.position])
    row = await resources.rows.get(MEDIA.key(event.media.media_id))
    if row is None or row.purpose != "story" or not _has_files(row) or _is_archived(row):
        return
    if not await _is_over(resources, event):
        return
    if not await _gone(resources, row):
        moved = [_moved(row.media_id, file) for file in stored_files(row)]
        copied = [(file.object_key, to.object_key) for file, to in zip(stored_files(row), moved, strict=True)]
        await _copy(resources, [*copied, *_original(row)])
        done = MediaArchived(media_id=row.media_id, owner_id=row.owner_id, variants=moved)
        await resources.append(told, done, f"{done.type}/{row.media_id}")
    # An erasure or a removal that began meanwhile may have looked before the copies were there.
    if await _gone(resources, row):
        REMOVED.labels("archived").inc(await resources.files.remove(row))


async def remove_moved(resources: KeeperResources, told: Told) -> None:
    """After `media.archived`: delete a story's files where they were, once nobody reads them there any more."""
    row = await resources.media_of(told)
    if row is not None and _is_archived(row):
        await resources.sleep(resources.reading_seconds)
        REMOVED.labels("moved").inc(await resources.files.remove_made(row))


async def _copy(resources: KeeperResources, pairs: Iterable[tuple[str, str]]) -> None:
    for key, to in pairs:
        # What is gone meanwhile was moved by another keeper, or removed by an erasure.
        with suppress(ObjectAbsent):
            await resources.objects.copy(key, to)


async def _is_over(resources: KeeperResources, event: StoryPublished) -> bool:
    """Whether a story shows this medium to somebody still, and none for longer than this event's was to."""
    listed = await resources.rows.scan(MEDIA_STORIES, (event.media.media_id,), limit=_STORIES_MAX)
    stories = await resources.rows.get_many([STORIES.key(one.story_id) for one in listed])
    ends_ms = [story.expires_ms or 0 for story in stories if story is not None and story.status == "published"]
    # One that ends later has an event of its own.
    return bool(ends_ms) and max(ends_ms) <= event.expires_ms


async def _gone(resources: KeeperResources, row: MediaRow) -> bool:
    """Whether the owner's account is deleted, or the medium removed by now."""
    account = await resources.rows.get(ACCOUNTS.key(row.owner_id))
    now = await resources.rows.get(MEDIA.key(row.media_id))
    return (account is not None and account.deleted) or (now is not None and now.status == "removed")


def _has_files(row: MediaRow) -> bool:
    """Whether it is there to stay, or may be yet."""
    return row.status in ("ready", "collected")


def _is_archived(row: MediaRow) -> bool:
    return all(file.object_key.startswith(ARCHIVE) for file in stored_files(row))


def _moved(media_id: int, file: MediaVariant) -> MediaVariant:
    return msgspec.structs.replace(file, object_key=archive_prefix(media_id) + file.name)


def _original(row: MediaRow) -> list[tuple[str, str]]:
    """The original of a content goes with its last holder, so the archive has one of its own."""
    return [(original_key(row.content_id), f"{archive_prefix(row.media_id)}original")] if row.content_id else []
