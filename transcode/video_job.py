"""One video from its upload to its answer: fetched piece by piece into a file, made, stored from files."""

from pathlib import Path
from typing import Protocol

from schemas.events import MediaTranscodingCompleted, MediaTranscodingRequested
from transcode.contents.port import ContentRow
from transcode.job import Objects
from transcode.lengths import SECONDS_MAX
from transcode.made_files import Maker as AnyMaker
from transcode.made_files import shared, store_files
from transcode.made_video import MadeVideo
from transcode.sharing import Making, Sharing


class Maker(AnyMaker, Protocol):
    """`transcode.video.VideoMaker`."""

    async def make(self, folder: Path, seconds_max: float) -> MadeVideo:
        """Everything that is made of the video in a folder."""


class VideoJob:
    """Makes what is made of videos. Each set of files has a place of its own.

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
        """Everything that is made of a video, stored.

        Raises:
            UnprocessableMedia: the video is refused.
            StoreUnavailable: the bucket did not answer.
            SandboxUnavailable: no program could be started, or there is no room on the disk.
        """
        return await shared(self._objects, self._maker, self._sharing, request, self._made)

    async def _made(self, request: MediaTranscodingRequested, folder: Path, _: ContentRow | None) -> Making:
        made = await self._maker.make(folder, SECONDS_MAX[request.purpose])
        stored = await store_files(self._objects, request.media_id, made.files)
        return Making(
            MediaTranscodingCompleted(
                media_id=request.media_id,
                owner_id=request.owner_id,
                width=made.plan.width,
                height=made.plan.height,
                variants=stored,
                kind="video",
                duration_ms=made.duration_ms,
                purpose=request.purpose,
            )
        )
