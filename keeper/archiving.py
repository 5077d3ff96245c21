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
from projections.media import MediaRow, stored_files
from schemas.events import MediaArchived, MediaVariant


async def archive(resources: KeeperResources, told: Told) -> None:
    """After an upload's answer: copy a story's files and say where they are. An upload of its own stays where it is."""
    row = await resources.media_of(told)
    if row is None or row.status != "ready" or row.purpose != "story" or _is_archived(row):
        return
    if not await _gone(resources, row):
        moved = [_moved(row.media_id, file) for file in stored_files(row)]
        copied = [(file.object_key, to.object_key) for file, to in zip(stored_files(row), moved, strict=True)]
        await _copy(resources, [*copied, *_original(row)])
        event = MediaArchived(media_id=row.media_id, owner_id=row.owner_id, variants=moved)
        await resources.append(told, event, f"{event.type}/{row.media_id}")
    # An erasure that began meanwhile may have looked before the copies were there.
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


async def _gone(resources: KeeperResources, row: MediaRow) -> bool:
    """Whether the owner's account is deleted."""
    account = await resources.rows.get(ACCOUNTS.key(row.owner_id))
    return account is not None and account.deleted


def _is_archived(row: MediaRow) -> bool:
    return all(file.object_key.startswith(ARCHIVE) for file in stored_files(row))


def _moved(media_id: int, file: MediaVariant) -> MediaVariant:
    return msgspec.structs.replace(file, object_key=archive_prefix(media_id) + file.name)


def _original(row: MediaRow) -> list[tuple[str, str]]:
    """The original of a content goes with its last holder, so the archive has one of its own."""
    return [(original_key(row.content_id), f"{archive_prefix(row.media_id)}original")] if row.content_id else []
