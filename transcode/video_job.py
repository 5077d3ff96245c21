"""One video from its upload to its answer: fetched piece by piece into a file, made, stored from files."""

from pathlib import Path
from typing import Protocol

from schemas.events import MediaTranscodingCompleted, MediaTranscodingRequested, MediaVariant
from transcode.contents.port import Base, Content, ContentRow
from transcode.fingerprints.phash import signed
from transcode.job import PLAIN_BYTES, Objects
from transcode.lengths import SECONDS_MAX
from transcode.made_files import Maker as AnyMaker
from transcode.made_files import shared, store_files
from transcode.made_video import MadeVideo
from transcode.plan import clip_prints_key
from transcode.sharing import Making, Sharing


class Maker(AnyMaker, Protocol):
    """`transcode.video.VideoMaker`."""

    async def make(self, folder: Path, seconds_max: float) -> MadeVideo:
        """Everything that is made of the video in a folder."""


class NearVideos(Protocol):
    """The part of `transcode.near.NearFiles` that the job needs."""

    async def video(self, made: MadeVideo, content: ContentRow) -> tuple[Base, Content] | None:
        """A content that looks and sounds the same, held from now on."""


class VideoJob:
    """Makes what is made of videos. Each set of files has a place of its own.

    Args:
        objects: holds uploads and takes what is made.
        maker: makes it.
        sharing: finds what others have uploaded as well.
        near: finds what is nearly the same; None where nothing is shared.
    """

    def __init__(self, objects: Objects, maker: Maker, sharing: Sharing, near: NearVideos | None = None) -> None:
        self._objects = objects
        self._maker = maker
        self._sharing = sharing
        self._near = near

    async def completed(self, request: MediaTranscodingRequested) -> MediaTranscodingCompleted:
        """Everything that is made of a video, stored.

        Raises:
            UnprocessableMedia: the video is refused.
            StoreUnavailable: the bucket did not answer.
            SandboxUnavailable: no program could be started, or there is no room on the disk.
        """
        return await shared(self._objects, self._maker, self._sharing, request, self._made)

    async def _made(self, request: MediaTranscodingRequested, folder: Path, content: ContentRow | None) -> Making:
        made = await self._maker.make(folder, SECONDS_MAX[request.purpose])
        if content is not None and self._near is not None:
            found = await self._near.video(made, content)
            if found is not None:
                base, same = found
                return Making(_answered(request, made, same.answer.variants), base)
        await self._objects.put(clip_prints_key(request.media_id), made.prints.packed(), PLAIN_BYTES)
        stored = await store_files(self._objects, request.media_id, made.files)
        return Making(_answered(request, made, stored))


def _answered(
    request: MediaTranscodingRequested, made: MadeVideo, variants: list[MediaVariant]
) -> MediaTranscodingCompleted:
    """What is answered. Size and length are the video's own, whatever files play it."""
    return MediaTranscodingCompleted(
        media_id=request.media_id,
        owner_id=request.owner_id,
        width=made.plan.width,
        height=made.plan.height,
        variants=variants,
        kind="video",
        duration_ms=made.duration_ms,
        purpose=request.purpose,
        frames=list(map(signed, made.prints.clip.frames)),
    )
