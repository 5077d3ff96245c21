"""Photographs and videos: posted, liked, commented, and read in a feed."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec

from photolog.client import views as v
from photolog.client.calls import Calls
from photolog.client.media import WAIT_SECONDS_DEFAULT, WaitedTooLong
from photolog.errors import Invalid

POLL_SECONDS = 0.1
FEED_RETRY_SECONDS = 0.5
FEED_ATTEMPTS_MAX = 20


class PhotographCalls(Calls):
    """Posts, likes, comments and the feed."""

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
