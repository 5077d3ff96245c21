"""Reading a whole backup, without restoring it: every file is there, undamaged, and holds what the manifest says."""

from backup.avro_files import checked
from backup.manifest import Manifest, TopicCopy
from backup.media import check_media
from backup.refilling import Restored, counted
from backup.segments import records_in
from backup.shelf import Shelf
from backup.table_files import rows_of
from backup.taking import Progress
from photolog.errors import Corruption


async def check(manifest: Manifest, shelf: Shelf, progress: Progress) -> list[Restored]:
    """Hold every file to the manifest; the topics.

    Raises:
        Corruption: a file is missing or damaged, or a partition has a gap.
        StoreUnavailable: the place did not answer.
    """
    progress.begin("the log", sum(one.records for one in manifest.topics))
    for topic in manifest.topics:
        await _check_topic(topic, shelf, progress)
    progress.begin("what lives outside the log", sum(one.rows for one in manifest.tables))
    for file in manifest.tables:
        progress.advance(len(rows_of(file, checked(file.name, await shelf.get(file.name), file.file_digest))))
    progress.begin("photographs", sum(one.objects for one in manifest.media))
    await check_media(shelf, manifest.media, progress.advance)
    return [counted(topic) for topic in manifest.topics]


async def _check_topic(topic: TopicCopy, shelf: Shelf, progress: Progress) -> None:
    for one in topic.partitions:
        at = one.begin
        for segment in one.segments:
            if segment.first != at:
                raise Corruption(f"the manifest names no file with offset {at} of {topic.topic}/{one.partition}")
            progress.advance(len(records_in(topic.topic, one.partition, segment, await shelf.get(segment.name))))
            at = segment.end
        if at != one.end:
            raise Corruption(f"{topic.topic}/{one.partition} ends at {at} in the backup, not {one.end}")
