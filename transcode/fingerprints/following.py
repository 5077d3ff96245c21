"""Keeping the index of fingerprints up to date: everything that the log says was made, and then whatever is."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from photolog.errors import LogUnavailable, StoreUnavailable, UndecodableRecord
from photolog.log.record import StoredRecord
from photolog.log.slices import Slice, SliceReader
from photolog.media.originals import content_prefix
from photolog.settings import KafkaSettings
from schemas.events import MediaTranscodingCompleted
from schemas.serde import Serde
from schemas.topics import MEDIA_COMPLETED
from transcode.fingerprints.clips import ClipPrint, keys
from transcode.fingerprints.nearest import BadSnapshot, NearestIndex
from transcode.fingerprints.phash import unsigned

_PARTITIONS_SECONDS = 30.0  # how soon partitions that were added are read
_PAUSE_SECONDS = 2.0
_SAVE_SECONDS = 600.0
logger = structlog.get_logger(__name__)


class FollowedIndex:
    """The fingerprints of all contents that have files of their own.

    Args:
        kafka: the log.
        serde: the codec.
        path: where it is kept from one process to the next; None reads the log from its beginning.
    """

    def __init__(self, kafka: KafkaSettings, serde: Serde, path: Path | None = None) -> None:
        self._kafka = kafka
        self._serde = serde
        self._path = path
        self._saved_at = time.monotonic()
        self.photographs = self._loaded(path)
        self.videos = self._loaded(self._videos_path)

    async def run(self) -> None:
        """Follow the log, for ever; what it cannot be asked for now is asked for later."""
        while True:
            try:
                async with SliceReader(self._kafka) as reader:
                    while True:
                        await self._follow(reader)
            except (LogUnavailable, StoreUnavailable) as error:
                logger.warning("fingerprints-not-read", cause=str(error))
                await asyncio.sleep(_PAUSE_SECONDS)

    def save(self) -> None:
        """Keep it for the next process, where that was asked for."""
        if self._path is not None and self._videos_path is not None:
            self.photographs.save(self._path)
            self.videos.save(self._videos_path)
        self._saved_at = time.monotonic()

    def take(self, records: Sequence[StoredRecord]) -> None:
        """Fold records in; the same ones again change nothing."""
        for record in records:
            try:
                event = self._serde.open_record(self._serde.parse(record.value), lambda _: None)
            except UndecodableRecord:
                continue  # put aside by the job that folds the topic
            if isinstance(event, MediaTranscodingCompleted) and has_own_files(event):
                place, content_id = (record.partition, record.offset), event.media_id
                self.photographs.add_all(*place, content_id, [] if event.phash is None else [unsigned(event.phash)])
                clip = ClipPrint(event.duration_ms, tuple(map(unsigned, event.frames)))
                self.videos.add_all(*place, content_id, keys(clip))

    async def _follow(self, reader: SliceReader) -> None:
        until = time.monotonic() + _PARTITIONS_SECONDS
        # Each is written by itself, and may be older than the other.
        known = {
            partition: min(offset, self.videos.positions.get(partition, 0))
            for partition, offset in self.photographs.positions.items()
        }
        slices = [
            Slice(one.topic, one.partition, max(one.begin, known.get(one.partition, 0)), None)
            for one in await reader.whole(MEDIA_COMPLETED.name)
        ]
        async for batch in reader.read(slices):
            self.take(batch.records)
            if time.monotonic() - self._saved_at > _SAVE_SECONDS:
                await asyncio.to_thread(self.save)
            if time.monotonic() > until and not batch.behind:
                return

    @property
    def _videos_path(self) -> Path | None:
        return None if self._path is None else self._path.with_name(self._path.name + ".videos")

    def _loaded(self, path: Path | None) -> NearestIndex:
        if path is None or not path.exists():
            return NearestIndex()
        try:
            return NearestIndex.load(path)
        except BadSnapshot as error:
            logger.warning("fingerprints-not-loaded", cause=str(error))
            return NearestIndex()


def has_own_files(event: MediaTranscodingCompleted) -> bool:
    """Whether others may show the files that an answer names: they are of its own content, and that one is its own."""
    prefix = content_prefix(event.media_id)
    return event.content_id == event.media_id and all(file.object_key.startswith(prefix) for file in event.variants)
