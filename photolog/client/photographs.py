"""Photographs: uploaded, posted, liked, commented, and read in a feed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from photolog.client import views as v
from photolog.client.calls import Calls
from photolog.client.uploads import Progress, send_parts
from photolog.errors import Invalid, PhotologError

POLL_SECONDS = 0.1
WAIT_SECONDS_DEFAULT = 60.0
FEED_RETRY_SECONDS = 0.5
FEED_ATTEMPTS_MAX = 20
_CONTENT_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".heic": "image/heic",
    ".heif": "image/heic",
}


class WaitedTooLong(PhotologError):
    """What was waited for did not happen in time."""


class PhotographCalls(Calls):
    """Uploads, posts, likes, comments and the feed."""

    async def upload(
        self,
        photograph: Path | bytes,
        content_type: str | None = None,
        *,
        progress: Progress | None = None,
        client_upload_id: str | None = None,
    ) -> str:
        """Upload a photograph.

        Args:
            photograph: a file, or its bytes.
            content_type: what it is; by default told from the file's name.
            progress: called with the bytes sent so far and the bytes in all.
            client_upload_id: one's own name for the upload, so that it may be begun again and go on.

        Returns:
            The id of the photograph, to post it under.
        """
        data = photograph if isinstance(photograph, bytes) else await asyncio.to_thread(photograph.read_bytes)
        kind = content_type or content_type_of(photograph)
        body: dict[str, Any] = {"content_type": kind, "size_bytes": len(data)}
        if client_upload_id is not None:
            body["client_upload_id"] = client_upload_id
        begun = await self._post("/v1/uploads", v.UploadBegun, body)
        if begun.state == "uploading":
            sent = await send_parts(self._store, data, begun.parts, progress)
            parts = [{"number": part.number, "etag": part.etag} for part in sent]
            await self._post(f"/v1/uploads/{begun.media_id}/complete", msgspec.Raw, {"parts": parts})
        return begun.media_id

    async def upload_state(self, media_id: str) -> v.Upload:
        """How far an upload is."""
        return await self.transport.query(f"/v1/uploads/{media_id}", v.Upload)

    async def post(
        self,
        media_ids: Sequence[str],
        caption: str = "",
        *,
        alt_texts: Sequence[str | None] | None = None,
        location: v.Place | None = None,
    ) -> str:
        """Post photographs that were uploaded. Returns the post's id; it is published a little later."""
        body = {"media_ids": media_ids, "caption": caption, "alt_texts": alt_texts, "location": location}
        given = {name: value for name, value in body.items() if value is not None}
        return (await self._post("/v1/posts", v.PostAccepted, given)).post_id

    async def get_post(self, post_id: str) -> v.Post:
        return await self.transport.query(f"/v1/posts/{post_id}", v.Post)

    async def wait_published(self, post_id: str, timeout_seconds: float = WAIT_SECONDS_DEFAULT) -> v.Post:
        """Wait until a post of one's own is published.

        Raises:
            Invalid: it was rejected; `upload_state` of its photographs says why.
            WaitedTooLong: it was still processing after `timeout_seconds`.
        """
        deadline = asyncio.get_running_loop().time() + timeout_seconds
        while asyncio.get_running_loop().time() < deadline:
            post = await self.get_post(post_id)
            if post.status == "published":
                return post
            if post.status == "rejected":
                raise Invalid("rejected-post", f"a photograph of post {post_id} could not be read")
            await asyncio.sleep(POLL_SECONDS)
        raise WaitedTooLong(f"post {post_id} was not published within {timeout_seconds:g} s")

    async def change_caption(self, post_id: str, caption: str) -> None:
        await self.transport.command("PATCH", f"/v1/posts/{post_id}", msgspec.Raw, {"caption": caption})

    async def delete_post(self, post_id: str) -> None:
        await self._delete(f"/v1/posts/{post_id}", type(None))

    def posts_of(self, account_id: str) -> AsyncIterator[v.Post]:
        """An account's grid, newest first."""
        return self._all(f"/v1/accounts/{account_id}/posts", v.Post)

    async def photograph_address(self, media_id: str, variant: str) -> str:
        """Where a file of a photograph can be got from for a while."""
        answer = await self.transport.send("GET", f"/v1/media/{media_id}/{variant}")
        return str(answer.headers["location"])

    async def like(self, post_id: str) -> None:
        await self._put(f"/v1/posts/{post_id}/like", msgspec.Raw)

    async def unlike(self, post_id: str) -> None:
        await self._delete(f"/v1/posts/{post_id}/like", msgspec.Raw)

    async def comment(self, post_id: str, text: str, parent_id: str | None = None) -> str:
        """Comment on a post, or reply to the comment `parent_id` on it. Returns the new comment's id."""
        body = {"text": text} if parent_id is None else {"text": text, "parent_id": parent_id}
        return (await self._post(f"/v1/posts/{post_id}/comments", v.CommentWritten, body)).comment_id

    async def delete_comment(self, post_id: str, comment_id: str) -> None:
        await self._delete(f"/v1/posts/{post_id}/comments/{comment_id}", type(None))

    def comments(self, post_id: str) -> AsyncIterator[v.Comment]:
        """A post's comments, newest first."""
        return self._all(f"/v1/posts/{post_id}/comments", v.Comment)

    async def feed_page(self, cursor: str | None = None, limit: int = 20) -> v.FeedPage:
        """A page of the home feed, newest first."""
        return await self.transport.query("/v1/feed", v.FeedPage, cursor=cursor, limit=limit)

    async def feed_pages(self, limit: int = 20) -> AsyncIterator[list[v.Post]]:
        """The home feed, page by page to its end, each post once: a page that could not be read in time is asked for
        again.

        Raises:
            WaitedTooLong: no page was complete anywhere, `FEED_ATTEMPTS_MAX` times in a row.
        """
        cursor, attempts = None, 0
        while True:
            page = await self.feed_page(cursor, limit)
            if page.complete is None:
                attempts += 1
                if attempts == FEED_ATTEMPTS_MAX:
                    raise WaitedTooLong(f"no page of the feed was complete, {attempts} times in a row")
                await asyncio.sleep(FEED_RETRY_SECONDS)
            else:
                attempts = 0
                yield page.settled
            if page.next_cursor is None:
                return
            cursor = page.next_cursor


def content_type_of(photograph: Path | bytes) -> str:
    """The content type that a file's name stands for.

    Raises:
        Invalid: it stands for no photograph.
    """
    kind = None if isinstance(photograph, bytes) else _CONTENT_TYPES.get(photograph.suffix.lower())
    if kind is None:
        raise Invalid("unsupported-type", "a photograph is a .jpg, .png or .heic file; or name its content type")
    return kind
