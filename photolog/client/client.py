"""A person's client of the public HTTP interface."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec

from photolog.client import views as v
from photolog.client.transport import Transport
from photolog.client.uploads import Progress, send_parts
from photolog.errors import Invalid, PhotologError

T = TypeVar("T")
POLL_SECONDS = 0.1
WAIT_SECONDS_DEFAULT = 60.0
_CONTENT_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".heic": "image/heic",
    ".heif": "image/heic",
}


class WaitedTooLong(PhotologError):
    """What was waited for did not happen in time."""


class Client:
    """Everything that one person does.

    Every command goes out under an Idempotency-Key, so that its retries are harmless; every later request carries the
    position of what was written before, so that this client reads its own writes.

    Args:
        gateway: a pool of connections whose base URL is the gateway's; several people may share one.
        store: a pool of connections to the object store, without base URL.
    """

    def __init__(self, gateway: httpx.AsyncClient, store: httpx.AsyncClient) -> None:
        self.transport = Transport(gateway)
        self._store = store

    # --- accounts and sessions ---

    async def sign_up(
        self, username: str, password: str, display_name: str | None = None, private: bool = False
    ) -> str:
        """Create an account. Returns its id; log in afterwards."""
        body = {"username": username, "password": password, "display_name": display_name, "private": private}
        return (await self._post("/v1/accounts", v.SignedUp, body)).account_id

    async def log_in(self, username: str, password: str) -> v.Tokens:
        """Log in; the access token is refreshed from now on as needed."""
        tokens = await self._post("/v1/sessions", v.Tokens, {"username": username, "password": password})
        self.transport.hold(tokens)
        return tokens

    async def log_out(self) -> None:
        """End the session."""
        await self._delete("/v1/sessions/current", type(None))
        self.transport.hold(None)

    async def me(self) -> v.Account:
        """One's own account."""
        return await self.transport.query("/v1/me", v.Account)

    async def account(self, account_id: str) -> v.Account:
        """An account by its id."""
        return await self.transport.query(f"/v1/accounts/{account_id}", v.Account)

    async def account_named(self, username: str) -> v.Account:
        """An account by its user name."""
        return await self.transport.query(f"/v1/accounts/by-username/{username}", v.Account)

    async def set_private(self, private: bool) -> None:
        """Open or close the account."""
        await self._put("/v1/me/privacy", msgspec.Raw, {"private": private})

    # --- between people ---

    async def follow(self, account_id: str) -> v.Following:
        """Follow, or ask to."""
        return await self._put(f"/v1/accounts/{account_id}/follow", v.Following)

    async def unfollow(self, account_id: str) -> v.Following:
        """Stop following, or withdraw the request."""
        return await self._delete(f"/v1/accounts/{account_id}/follow", v.Following)

    async def block(self, account_id: str) -> None:
        await self._put(f"/v1/accounts/{account_id}/block", msgspec.Raw)

    async def unblock(self, account_id: str) -> None:
        await self._delete(f"/v1/accounts/{account_id}/block", msgspec.Raw)

    async def mute(self, account_id: str) -> None:
        await self._put(f"/v1/accounts/{account_id}/mute", msgspec.Raw)

    async def unmute(self, account_id: str) -> None:
        await self._delete(f"/v1/accounts/{account_id}/mute", msgspec.Raw)

    async def remove_follower(self, account_id: str) -> None:
        await self._delete(f"/v1/me/followers/{account_id}", msgspec.Raw)

    async def approve(self, account_id: str) -> None:
        """Let someone who asked follow."""
        await self._put(f"/v1/me/requests/{account_id}", msgspec.Raw)

    async def deny(self, account_id: str) -> None:
        await self._delete(f"/v1/me/requests/{account_id}", msgspec.Raw)

    async def relationship(self, account_id: str) -> v.Relationship:
        """What is between this person and an account."""
        return await self.transport.query(f"/v1/accounts/{account_id}/relationship", v.Relationship)

    def requests(self) -> AsyncIterator[v.Account]:
        """Who asks to follow."""
        return self._all("/v1/me/requests", v.Account)

    def followers(self, account_id: str) -> AsyncIterator[v.Account]:
        return self._all(f"/v1/accounts/{account_id}/followers", v.Account)

    def following(self, account_id: str) -> AsyncIterator[v.Account]:
        return self._all(f"/v1/accounts/{account_id}/following", v.Account)

    def mutuals(self, account_id: str) -> AsyncIterator[v.Account]:
        """Who follows an account and is followed by it."""
        return self._all(f"/v1/accounts/{account_id}/mutuals", v.Account)

    # --- photographs and posts ---

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

    async def comment(self, post_id: str, text: str) -> str:
        """Comment on a post. Returns the comment's id."""
        return (await self._post(f"/v1/posts/{post_id}/comments", v.CommentWritten, {"text": text})).comment_id

    async def delete_comment(self, post_id: str, comment_id: str) -> None:
        await self._delete(f"/v1/posts/{post_id}/comments/{comment_id}", type(None))

    def comments(self, post_id: str) -> AsyncIterator[v.Comment]:
        """A post's comments, newest first."""
        return self._all(f"/v1/posts/{post_id}/comments", v.Comment)

    # --- feed ---

    async def feed_page(self, cursor: str | None = None, limit: int = 20) -> v.Page[v.Post]:
        """A page of the home feed, newest first."""
        return await self.transport.query("/v1/feed", v.Page[v.Post], cursor=cursor, limit=limit)

    async def feed_pages(self, limit: int = 20) -> AsyncIterator[v.Page[v.Post]]:
        """The home feed, page by page to its end."""
        cursor = None
        while True:
            page = await self.feed_page(cursor, limit)
            yield page
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    # --- below ---

    async def _all(self, path: str, item: type[T]) -> AsyncIterator[T]:
        cursor = None
        while True:
            page: v.Page[T] = await self.transport.query(path, v.Page[item], cursor=cursor, limit=100)  # type: ignore[valid-type]  # a type that is a value
            for one in page.items:
                yield one
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def _post(self, path: str, answer: type[T], body: Any = None) -> T:
        return await self.transport.command("POST", path, answer, body)

    async def _put(self, path: str, answer: type[T], body: Any = None) -> T:
        return await self.transport.command("PUT", path, answer, body)

    async def _delete(self, path: str, answer: type[T]) -> T:
        return await self.transport.command("DELETE", path, answer)


def content_type_of(photograph: Path | bytes) -> str:
    """The content type that a file's name stands for.

    Raises:
        Invalid: it stands for no photograph.
    """
    kind = None if isinstance(photograph, bytes) else _CONTENT_TYPES.get(photograph.suffix.lower())
    if kind is None:
        raise Invalid("unsupported-type", "a photograph is a .jpg, .png or .heic file; or name its content type")
    return kind
