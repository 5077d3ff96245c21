"""Exports: an archive of everything that an account has here, built outside of any request and kept for a while.

A worker claims an export for some minutes and renews the claim file by file; one that died is begun anew by the next.
Nothing appears in the bucket before the archive is whole.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
import structlog

from gateway.vault.port import ExportRow
from leaving.account_log import AccountLog, Named
from leaving.archive import Archive, Entry
from leaving.kinds import KINDS, Source, written
from leaving.media_files import MediaFiles
from leaving.purging import own_prefixes
from leaving.resources import LeavingResources
from photolog.engines.object_store import ObjectRefused
from photolog.media.originals import media_of
from photolog.timestamps import rfc3339
from schemas import events as e
from schemas.topics import MEDIA_REQUESTED

CLAIM_MS = 10 * 60_000
FORMAT = "photolog-export/1"
_READ_BYTES = 4 * 1024 * 1024
_encode = msgspec.json.Encoder().encode
logger = structlog.get_logger(__name__)


class Manifest(msgspec.Struct, kw_only=True):
    """What an archive holds: `files` with their digests, and for each file of rows how many and of which columns."""

    format: str
    account_id: str
    made_at: str
    counts: dict[str, int]
    columns: dict[str, list[str]]
    files: list[Entry]


class ClaimLost(Exception):
    """Another worker has the export, or it is gone with its account."""


class Exporting:
    """Brings one account's export forward.

    Args:
        resources: the worker's.
        row: the export.
    """

    def __init__(self, resources: LeavingResources, row: ExportRow) -> None:
        self._resources = resources
        self._row = row
        log = AccountLog(resources.reader, resources.serde, row.account_id)
        self._source = Source(resources.rows, log, row.account_id)
        self._manifest = Manifest(
            format=FORMAT,
            account_id=str(row.account_id),
            made_at=rfc3339(resources.clock_ms()),
            counts={},
            columns={},
            files=[],
        )

    async def advance(self) -> None:
        """Build it, or remove it once it is over.

        Raises:
            StoreUnavailable: a store did not answer; do it again.
            LogUnavailable: the log did not; do it again.
        """
        now_ms, row = self._resources.clock_ms(), self._row
        if row.finished_ms is not None:
            if now_ms >= row.finished_ms + self._resources.export_seconds * 1_000:
                await self._resources.objects.delete(row.object_key)
                await self._resources.vault.exports.remove(row.account_id)
            return
        erased = await self._resources.vault.erasures.get(row.account_id) is not None
        if now_ms < row.claimed_ms or erased:
            return
        try:
            await self._renew()
            await self._build()
        except ClaimLost:
            logger.info("export-lost", account=str(row.account_id))

    async def _build(self) -> None:
        objects, row = self._resources.objects, self._row
        for key, upload_id in await objects.unfinished_uploads(row.object_key):
            await objects.abort_upload(key, upload_id)
        archive = Archive(objects, row.object_key)
        await archive.begin()
        try:
            await self._fill(archive)
            size_bytes = await archive.finish()
        except ObjectRefused as error:
            # Somebody aborted the upload: an erasure, or a worker that took this one for dead.
            await archive.abort()
            raise ClaimLost from error
        except BaseException:
            await archive.abort()
            raise
        try:
            await self._renew(finished_ms=self._resources.clock_ms(), size_bytes=size_bytes)
        except ClaimLost:
            await objects.delete(row.object_key)
            raise

    async def _fill(self, archive: Archive) -> None:
        for kind in KINDS:
            self._manifest.columns[kind.name] = sorted({name for t in kind.tables for name in t.row.__struct_fields__})
            await self._add(archive, f"{kind.name}.json", _array(self._counted(kind.name, self._rows(kind.read))))
        await self._add(archive, "sessions.json", _array(self._counted("sessions", self._sessions())))
        await self._add(archive, "uploads.json", _array(self._counted("uploads", self._uploads())))
        await self._add(archive, "events.ndjson", _lines(self._counted("events", self._events())))
        async for name, key in self._media():
            await self._add(archive, f"media/{name}", self._bytes(key), compressed=False)
        self._manifest.files = list(archive.entries)
        await self._add(archive, "manifest.json", _once(_encode(self._manifest)))

    async def _add(self, archive: Archive, name: str, chunks: AsyncIterator[bytes], *, compressed: bool = True) -> None:
        await archive.add(name, chunks, compressed=compressed)
        if self._resources.clock_ms() > self._row.claimed_ms - CLAIM_MS // 2:
            await self._renew()

    async def _rows(self, read: Any) -> AsyncIterator[Mapping[str, Any]]:
        async for row in read(self._source):
            yield written(row)

    async def _sessions(self) -> AsyncIterator[Mapping[str, Any]]:
        """Where the account is logged in, without what proves it."""
        for session in await self._resources.vault.sessions.listed(self._row.account_id):
            yield {
                "session_id": str(session.session_id),
                "created_ms": session.created_ms,
                "last_used_ms": session.last_used_ms,
                "user_agent": session.user_agent,
            }

    async def _uploads(self) -> AsyncIterator[Mapping[str, Any]]:
        async for upload in self._resources.vault.uploads.of(self._row.account_id):
            told = msgspec.structs.asdict(upload)
            yield told | {"media_id": str(upload.media_id), "owner_id": str(upload.owner_id)}

    async def _events(self) -> AsyncIterator[Mapping[str, Any]]:
        """Everything in the log that names the account; of what is personal in it, its own alone."""
        account_id, keyring = self._row.account_id, self._resources.keyring
        await keyring.ensure([account_id])
        async for batch in self._source.log.batches():
            for named in batch:
                event = self._resources.serde.open_record(
                    named.sealed, lambda subject: keyring.key_of(account_id) if subject == account_id else None
                )
                yield _event(named, event)

    async def _media(self) -> AsyncIterator[tuple[str, str]]:
        """Originals, and the files that were made of them: what each is called in the archive, and its key."""
        files, media_ids = MediaFiles(self._resources), set[int]()
        async for batch in self._source.log.batches((MEDIA_REQUESTED,)):
            requests = [named.event for named in batch if isinstance(named.event, e.MediaTranscodingRequested)]
            media_ids.update(request.media_id for request in requests)
        shared = {row.media_id async for row in files.holding(media_ids)}
        originals, _ = own_prefixes(self._row.account_id)
        async for page in self._resources.objects.keys(originals):
            for key in page:
                if media_of(key) not in shared:
                    yield key, key
        async for key in files.own_keys(media_ids):
            yield key, key
        async for name, key in files.named(shared):
            yield name, key

    async def _bytes(self, key: str) -> AsyncIterator[bytes]:
        head = await self._resources.objects.head(key)
        for start in range(0, head.size_bytes if head else 0, _READ_BYTES):
            try:
                yield await self._resources.objects.read_range(key, start, _READ_BYTES)
            except ObjectRefused as error:
                # It was deleted meanwhile, as by an erasure.
                raise ClaimLost from error

    async def _counted(self, name: str, items: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[Mapping[str, Any]]:
        self._manifest.counts[name] = 0
        async for item in items:
            self._manifest.counts[name] += 1
            yield item

    async def _renew(self, **changes: int) -> None:
        claimed_ms = self._resources.clock_ms() + CLAIM_MS
        row = msgspec.structs.replace(self._row, version=self._row.version + 1, claimed_ms=claimed_ms, **changes)
        if not await self._resources.vault.exports.move(row):
            raise ClaimLost
        self._row = row


def _event(named: Named, event: e.Event) -> Mapping[str, Any]:
    record = named.record
    return {
        "type": event.type,
        "at_ms": record.timestamp_ms,
        "position": f"{record.topic}/{record.partition}@{record.offset}",
        "event": msgspec.to_builtins(event),
    }


async def _array(items: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[bytes]:
    """A JSON array, an item a line."""
    opening = b"[\n"
    async for item in items:
        yield opening + _encode(item)
        opening = b",\n"
    yield b"[]\n" if opening == b"[\n" else b"\n]\n"


async def _lines(items: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[bytes]:
    async for item in items:
        yield _encode(item) + b"\n"


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
