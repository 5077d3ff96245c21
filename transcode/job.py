"""One photograph from its upload to its answer: fetched, decoded, its files stored. Videos and voice notes have jobs of
their own.
"""

import asyncio
import io
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import structlog

from photolog.engines.object_store import ObjectHead, ObjectRefused
from projections.media import MEDIA
from projections.tables import R, RowKey
from schemas.events import (
    MediaKind,
    MediaTranscodingCompleted,
    MediaTranscodingFailed,
    MediaTranscodingRequested,
    MediaVariant,
)
from transcode.contents.port import Base, Content, ContentRow
from transcode.errors import TROUBLE, Reason, UnprocessableMedia
from transcode.fingerprints.digest import digest
from transcode.fingerprints.phash import signed
from transcode.plan import Made, Variant, processed_key, thumbprint_key
from transcode.sharing import Making, Sharing
from transcode.sniff import PhotoType, declared_type, declared_video

PLAIN_BYTES = "application/octet-stream"
CACHE_CONTROL = "private, max-age=31536000, immutable"
"""A variant's name is never used again for other bytes; who may see it is decided before its address is signed."""

logger = structlog.get_logger(__name__)

TranscodingAnswer = MediaTranscodingCompleted | MediaTranscodingFailed


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a request.

    Args:
        event: the answer.
        trouble: what a program said that failed at the file; empty where none did.
    """

    event: TranscodingAnswer
    trouble: str = ""


class Objects(Protocol):
    """The part of `photolog.engines.object_store.ObjectStore` that the job needs."""

    async def head(self, key: str) -> ObjectHead | None:
        """What the bucket knows of an object."""

    async def get(self, key: str) -> bytes:
        """A whole object."""

    async def put(self, key: str, data: bytes, content_type: str, cache_control: str | None = None) -> None:
        """Write an object whole."""

    async def read_range(self, key: str, start: int, length: int) -> bytes:
        """A piece of an object."""

    async def put_file(self, key: str, path: Path, content_type: str, cache_control: str | None = None) -> None:
        """Write an object whole, from a file."""


class Variants(Protocol):
    """The part of `transcode.sandbox.VariantPool` that the job needs."""

    async def make(self, data: bytes, kind: PhotoType) -> Made:
        """The variants of one photograph."""


class Others(Protocol):
    """The part of `transcode.video_job.VideoJob` and `transcode.voice_job.VoiceJob` that the job needs."""

    async def completed(self, request: MediaTranscodingRequested) -> MediaTranscodingCompleted:
        """Everything that is made of a video or a voice note, stored."""


class NearPhotographs(Protocol):
    """The part of `transcode.near.NearFiles` that the job needs."""

    async def photograph(self, made: Made, content: ContentRow) -> tuple[Base, Content] | None:
        """A content that is the same picture, held from now on."""


class Answered(Protocol):
    """The part of `projections.stores.port.RowStore` that the job needs."""

    async def get(self, key: RowKey[R]) -> R | None:
        """One row."""


class TranscodeJob:
    """Answers requests. Doing one again writes the same files and gives the same answer.

    Args:
        objects: holds uploads and takes variants.
        variants: makes them.
        videos: makes what is made of videos.
        voices: makes what is made of voice notes.
        sharing: finds what others have uploaded as well.
        near: finds what is nearly the same; None where nothing is shared.
        rows: tells what has been answered.
        bytes_max: the largest photograph that is fetched.
    """

    def __init__(
        self,
        objects: Objects,
        variants: Variants,
        videos: Others,
        voices: Others,
        sharing: Sharing,
        near: NearPhotographs | None,
        rows: Answered,
        bytes_max: int,
    ) -> None:
        self._objects = objects
        self._variants = variants
        self._videos = videos
        self._voices = voices
        self._sharing = sharing
        self._near = near
        self._rows = rows
        self._bytes_max = bytes_max

    async def answer(self, request: MediaTranscodingRequested) -> Outcome | None:
        """Make the variants of an upload, or say why there are none. None where that was said before, and the upload is
        gone since.

        Raises:
            StoreUnavailable: the bucket did not answer.
            SandboxUnavailable: no decoder could be started.
        """
        try:
            match medium(request):
                case "voice":
                    return Outcome(await self._voices.completed(request))
                case "video":
                    return Outcome(await self._videos.completed(request))
                case "photo":
                    return Outcome(await self._completed(request))
        except UnprocessableMedia as refusal:
            if refusal.reason is Reason.MISSING and await self._rows.get(MEDIA.key(request.media_id)) is not None:
                return None
            logger.info("refused", media_id=request.media_id, reason=refusal.reason.value, diagnosis=refusal.diagnosis)
            event = MediaTranscodingFailed(
                media_id=request.media_id,
                owner_id=request.owner_id,
                reason=refusal.reason.value,
                detail=refusal.detail,
            )
            return Outcome(event, str(refusal) if refusal.reason in TROUBLE else "")

    async def _completed(self, request: MediaTranscodingRequested) -> MediaTranscodingCompleted:
        kind = declared_type(request.content_type)
        if kind is None:
            raise UnprocessableMedia(Reason.NOT_AN_IMAGE, f"declared {request.content_type}")
        data = await self._fetch(request.object_key)
        found = (await asyncio.to_thread(digest, io.BytesIO(data))).hex()
        check_digest(request, found)
        return await self._sharing.answer(request, found, partial(self._make, request, data, kind))

    async def _make(
        self, request: MediaTranscodingRequested, data: bytes, kind: PhotoType, content: ContentRow | None
    ) -> Making:
        """The photograph's files, or those of one that is nearly the same, where anybody may share them."""
        made = await self._variants.make(data, kind)
        if content is not None and self._near is not None:
            found = await self._near.photograph(made, content)
            if found is not None:
                base, same = found
                return Making(_answered(request, made, same.answer.variants), base)
        await self._objects.put(thumbprint_key(request.media_id), made.prints.thumbprint, PLAIN_BYTES)
        stored = await asyncio.gather(*(self._store(request.media_id, *variant) for variant in made.variants))
        return Making(_answered(request, made, list(stored)))

    async def _fetch(self, key: str) -> bytes:
        await original_size(self._objects, key, self._bytes_max)
        try:
            return await self._objects.get(key)
        except ObjectRefused as error:
            # It was deleted in between.
            raise UnprocessableMedia(Reason.MISSING) from error

    async def _store(self, media_id: int, variant: Variant, data: bytes) -> MediaVariant:
        key = processed_key(media_id, variant.name)
        await self._objects.put(key, data, variant.content_type, CACHE_CONTROL)
        return MediaVariant(
            name=variant.name,
            content_type=variant.content_type,
            width=variant.width,
            height=variant.height,
            size_bytes=len(data),
            object_key=key,
        )


def _answered(
    request: MediaTranscodingRequested, made: Made, variants: list[MediaVariant]
) -> MediaTranscodingCompleted:
    """What is answered. Its size is that of the photograph, whatever files show it."""
    return MediaTranscodingCompleted(
        media_id=request.media_id,
        owner_id=request.owner_id,
        width=made.width,
        height=made.height,
        variants=variants,
        blurhash=made.prints.blurhash,
        phash=signed(made.prints.phash),
        purpose=request.purpose,
    )


async def original_size(objects: Objects, key: str, bytes_max: int) -> int:
    """The bytes of an upload as it came. Raises UnprocessableMedia where it is gone, or has too many."""
    head = await objects.head(key)
    if head is None:
        raise UnprocessableMedia(Reason.MISSING)
    if head.size_bytes > bytes_max:
        raise UnprocessableMedia(Reason.TOO_MANY_BYTES, f"{head.size_bytes} bytes")
    return head.size_bytes


def check_digest(request: MediaTranscodingRequested, found: str) -> None:
    """Raises UnprocessableMedia where a file is not the one whose digest the client told."""
    if request.sha256 not in (None, found):
        raise UnprocessableMedia(Reason.CHANGED, f"it is {found}")


def medium(request: MediaTranscodingRequested) -> MediaKind:
    """What a request is about, by what was declared; the bytes are judged later."""
    if request.purpose == "voice":
        return "voice"
    return "photo" if declared_video(request.content_type) is None else "video"
