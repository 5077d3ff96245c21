"""The classifier that ships: media that is on the block-list, as the same file or nearly the same, is refused."""

import asyncio
from collections import deque
from typing import Protocol

import structlog

from moderation.block_log import BlockLog
from moderation.blocks import Blocks, clip_of
from moderation.classifier import Judgement, Label, Subject
from moderation.metrics import BLOCKED
from photolog.engines.object_store import ObjectRefused
from photolog.errors import UndecodableRecord
from photolog.log.record import StoredRecord
from photolog.media.thumbprints import blocked_thumbprint_key, thumbprint_beside
from schemas.events import ContentBlocked, ContentUnblocked
from schemas.serde import Serde
from transcode.fingerprints.clips import near_clips
from transcode.fingerprints.phash import BITS, unsigned
from transcode.fingerprints.same_picture import same_picture
from transcode.fingerprints.thumbprint import BadThumbprint, Thumbprint

NAME = "block-list"
REVIEW_BITS_MAX = 4
"""Hashes that differ in no more bits are too near for nobody to look, whatever the pixels say."""
COMPARED_MAX = 100
"""Blocked photographs, the nearest, whose pixels one photograph is held against."""
_ALLOWED = Judgement("allowed")
logger = structlog.get_logger(__name__)


class Objects(Protocol):
    """The part of `photolog.engines.object_store.ObjectStore` that it needs."""

    async def get(self, key: str) -> bytes:
        """A whole object. Raises ObjectRefused where there is none."""


class BlockList:
    """A `moderation.classifier.Classifier`.

    Args:
        log: the block-list's events.
        objects: holds thumbprints.
        serde: the codec.
    """

    name = NAME

    def __init__(self, log: BlockLog, objects: Objects, serde: Serde) -> None:
        self._log = log
        self._objects = objects
        self._serde = serde
        self._blocks = Blocks()
        self._unread: deque[StoredRecord] = deque()
        self._reading = asyncio.Lock()

    async def judge(self, subject: Subject) -> Judgement:
        """Judge by the block-list as it is now.

        Raises:
            LogUnavailable, StoreUnavailable: it cannot be told at the moment.
        """
        await self.catch_up()
        media = subject.media
        blocked = self._blocks.exact(media.digest)
        if blocked is not None:
            return _refused(blocked, "it is the same file as a blocked one")
        if media.kind == "video":
            return self._video(subject)
        return _ALLOWED if media.phash is None else await self._photograph(subject, unsigned(media.phash))

    async def catch_up(self) -> None:
        """Read the block-list up to where it ends now. Raises LogUnavailable."""
        async with self._reading:
            self._unread.extend(await self._log.news())
            while self._unread:
                self._take(self._unread[0])
                self._unread.popleft()  # not before: a schema may have to be fetched, from where nobody answers
            BLOCKED.set(len(self._blocks))

    def _take(self, record: StoredRecord) -> None:
        try:
            event = self._serde.open_record(self._serde.parse(record.value), lambda _: None)
        except UndecodableRecord as error:
            # The job that folds the topic puts it aside as well; its retry comes by here again.
            logger.warning("block-undecodable", offset=record.offset, partition=record.partition, reason=str(error))
            return
        if isinstance(event, ContentBlocked | ContentUnblocked):
            self._blocks.apply(event)

    def _video(self, subject: Subject) -> Judgement:
        """Nothing looks at a video's pixels, so that one which is near is never refused unseen."""
        clip = clip_of(subject.media.duration_ms, subject.media.frames)
        for blocked, other in self._blocks.clips(clip):
            if near_clips(clip, other):
                return _doubted(blocked, "its frames are nearly those of a blocked video", 0)
        return _ALLOWED

    async def _photograph(self, subject: Subject, phash: int) -> Judgement:
        doubt: Judgement | None = None
        near = self._blocks.near(phash)[:COMPARED_MAX]
        own = await self._own_thumbprint(subject) if near else None
        for blocked, bits in near:
            theirs = await self._thumbprint(blocked_thumbprint_key(blocked.digest))
            if own is None or theirs is None:
                doubt = doubt or _doubted(
                    blocked, "it is near a blocked photograph, and cannot be held against it", bits
                )
            elif await asyncio.to_thread(same_picture, own, theirs):
                return _refused(blocked, "it is the same photograph as a blocked one, scaled or encoded again")
            elif bits <= REVIEW_BITS_MAX:
                doubt = doubt or _doubted(blocked, "it looks much like a blocked photograph", bits)
        return doubt or _ALLOWED

    async def _own_thumbprint(self, subject: Subject) -> Thumbprint | None:
        return await self._thumbprint(thumbprint_beside(subject.files[0].object_key)) if subject.files else None

    async def _thumbprint(self, key: str) -> Thumbprint | None:
        """What is kept at a key; None where there is none that can be read."""
        try:
            return Thumbprint.unpacked(await self._objects.get(key))
        except (ObjectRefused, BadThumbprint):
            return None


def _refused(blocked: ContentBlocked, reason: str) -> Judgement:
    return Judgement("refused", f"{reason} ({_which(blocked)})", blocked.rule, {Label.BLOCKED: 1.0})


def _doubted(blocked: ContentBlocked, reason: str, bits: int) -> Judgement:
    said = f"{reason} ({_which(blocked)}; {bits} of {BITS} bits differ)" if bits else f"{reason} ({_which(blocked)})"
    return Judgement("review", said, blocked.rule, {Label.BLOCKED: round(1 - bits / BITS, 4)})


def _which(blocked: ContentBlocked) -> str:
    return f"digest {blocked.digest[:16]}…, {blocked.rule}"
