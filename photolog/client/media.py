"""Photographs, videos, voice notes: sent to the object store in parts, gone on with where it broke off, waited for."""

import asyncio
from pathlib import Path
from typing import Any, Literal

import msgspec

from photolog.client import views as v
from photolog.client.calls import Calls
from photolog.client.uploads import Content, Progress, send_parts
from photolog.errors import Invalid, PhotologError

WAIT_SECONDS_DEFAULT = 60.0
LONG_POLL_SECONDS = 20
_CONTENT_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".heic": "image/heic",
    ".heif": "image/heic",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".webm": "audio/webm",
    ".mp3": "audio/mpeg",
}


class WaitedTooLong(PhotologError):
    """What was waited for did not happen in time."""


class MediaCalls(Calls):
    """Uploads."""

    async def upload(
        self,
        media: Path | bytes,
        content_type: str | None = None,
        *,
        purpose: Literal["post", "reel", "story", "voice"] = "post",
        progress: Progress | None = None,
        client_upload_id: str | None = None,
    ) -> str:
        """Upload a photograph, a video or a voice note.

        Args:
            media: a file, or its bytes.
            content_type: what it is; by default told from the file's name.
            purpose: what it is for; sound is a `voice` note.
            progress: called with the bytes that arrived so far and the bytes in all.
            client_upload_id: one's own name for the upload. Called again under the same name, for the same file, it
                sends what had not arrived.

        Returns:
            The id of the media, to post it under.
        """
        content = Content(media)
        body: dict[str, Any] = {
            "content_type": content_type or content_type_of(media),
            "size_bytes": content.size_bytes,
            "sha256": await content.sha256(),
            "purpose": purpose,
        }
        if client_upload_id is not None:
            body["client_upload_id"] = client_upload_id
        begun = await self._post("/v1/uploads", v.UploadBegun, body)
        if begun.state == "uploading":
            await self._send(begun, content, progress)
        return begun.media_id

    async def upload_state(self, media_id: str, wait_seconds: int = 0) -> v.Upload:
        """How far an upload is; the answer may take so long while it is being decoded."""
        return await self.transport.query(f"/v1/uploads/{media_id}", v.Upload, wait=wait_seconds or None)

    async def wait_decoded(self, media_id: str, timeout_seconds: float = WAIT_SECONDS_DEFAULT) -> v.Upload:
        """Wait until an upload is ready, or failed.

        Raises:
            WaitedTooLong: it was neither after `timeout_seconds`.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_seconds
        while (left := deadline - loop.time()) > 0:
            state = await self.upload_state(media_id, max(1, min(LONG_POLL_SECONDS, int(left))))
            if state.state in ("ready", "failed", "collected"):
                return state
            if state.state == "uploading":
                await asyncio.sleep(1)
        raise WaitedTooLong(f"upload {media_id} was not decoded within {timeout_seconds:g} s")

    async def _send(self, begun: v.UploadBegun, content: Content, progress: Progress | None) -> None:
        """Send what has not arrived, and have all parts joined."""
        arrived_bytes = sum(part.size_bytes for part in begun.arrived)
        sizes = [part.size_bytes for part in begun.parts] + [part.size_bytes for part in begun.arrived]
        if progress and arrived_bytes:
            progress(arrived_bytes, content.size_bytes)
        sent = await send_parts(self._store, content, begun.parts, max(sizes), progress, arrived_bytes)
        parts = [{"number": part.number, "etag": part.etag} for part in begun.arrived]
        parts += [{"number": part.number, "etag": part.etag, "md5": part.md5} for part in sent]
        await self._post(f"/v1/uploads/{begun.media_id}/complete", msgspec.Raw, {"parts": parts})


def content_type_of(media: Path | bytes) -> str:
    """The content type that a file's name stands for.

    Raises:
        Invalid: it stands for nothing that can be uploaded.
    """
    kind = None if isinstance(media, bytes) else _CONTENT_TYPES.get(media.suffix.lower())
    if kind is None:
        raise Invalid("unsupported-type", "upload a .jpg, .png, .heic, .mp4 or .mov file; or name its content type")
    return kind
