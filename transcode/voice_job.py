"""One voice note from its upload to its answer: fetched into a file, made, stored from files."""

from pathlib import Path
from typing import Protocol

from schemas.events import MediaTranscodingCompleted, MediaTranscodingRequested
from transcode.contents.port import ContentRow
from transcode.errors import Reason, UnprocessableMedia
from transcode.job import Objects
from transcode.made_files import Maker as AnyMaker
from transcode.made_files import shared, store_files
from transcode.sharing import Making, Sharing
from transcode.sniff_sound import SoundType, declared_sound
from transcode.voice import MadeVoice


class Maker(AnyMaker, Protocol):
    """`transcode.voice.VoiceMaker`."""

    async def make(self, folder: Path, kind: SoundType) -> MadeVoice:
        """Everything that is made of the voice note in a folder."""


class VoiceJob:
    """Makes what is made of voice notes. Each set of files has a place of its own.

    Args:
        objects: holds uploads and takes what is made.
        maker: makes it.
        sharing: finds what others have uploaded as well.
    """

    def __init__(self, objects: Objects, maker: Maker, sharing: Sharing) -> None:
        self._objects = objects
        self._maker = maker
        self._sharing = sharing

    async def completed(self, request: MediaTranscodingRequested) -> MediaTranscodingCompleted:
        """Everything that is made of a voice note, stored.

        Raises:
            UnprocessableMedia: the voice note is refused.
            StoreUnavailable: the bucket did not answer.
            SandboxUnavailable: no program could be started, or there is no room on the disk.
        """
        return await shared(self._objects, self._maker, self._sharing, request, self._made)

    async def _made(self, request: MediaTranscodingRequested, folder: Path, _: ContentRow | None) -> Making:
        kind = declared_sound(request.content_type)
        if kind is None:
            raise UnprocessableMedia(Reason.NOT_AUDIO, f"declared {request.content_type}")
        made = await self._maker.make(folder, kind)
        stored = await store_files(self._objects, request.media_id, made.files)
        return Making(
            MediaTranscodingCompleted(
                media_id=request.media_id,
                owner_id=request.owner_id,
                width=0,
                height=0,
                variants=stored,
                kind="voice",
                duration_ms=made.duration_ms,
                purpose="voice",
            )
        )
