"""What people do with posts and comments beyond liking and commenting: saving, sharing, answering, reporting."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from photolog.client import views as v
from photolog.client.calls import Calls


class EngagementCalls(Calls):
    """Saves, shares, replies, likes of comments, likers, reports and telemetry."""

    async def save(self, post_id: str) -> None:
        await self._put(f"/v1/posts/{post_id}/save", msgspec.Raw)

    async def unsave(self, post_id: str) -> None:
        await self._delete(f"/v1/posts/{post_id}/save", msgspec.Raw)

    def saved(self) -> AsyncIterator[v.Post]:
        """This person's saved posts, the last saved first."""
        return self._all("/v1/me/saved", v.Post)

    async def share(self, post_id: str, channel: Literal["link", "message", "story", "other"] = "link") -> str:
        """Say that a post was passed on. Returns the share's id."""
        return (await self._post(f"/v1/posts/{post_id}/shares", v.Shared, {"channel": channel})).share_id

    def likers(self, post_id: str) -> AsyncIterator[v.Account]:
        """Who likes a post, the last first."""
        return self._all(f"/v1/posts/{post_id}/likes", v.Account)

    def replies(self, post_id: str, comment_id: str) -> AsyncIterator[v.Comment]:
        """The replies to a comment, oldest first."""
        return self._all(f"/v1/posts/{post_id}/comments/{comment_id}/replies", v.Comment)

    async def like_comment(self, post_id: str, comment_id: str) -> None:
        await self._put(f"/v1/posts/{post_id}/comments/{comment_id}/like", msgspec.Raw)

    async def unlike_comment(self, post_id: str, comment_id: str) -> None:
        await self._delete(f"/v1/posts/{post_id}/comments/{comment_id}/like", msgspec.Raw)

    async def report(
        self,
        target: Literal["post", "comment", "account"],
        target_id: str,
        reason: str,
        *,
        post_id: str | None = None,
        note: str | None = None,
    ) -> None:
        """Bring something to the operators' notice.

        Args:
            target: what it is.
            target_id: its id.
            reason: one of those that the API names.
            post_id: the post of a comment.
            note: words of one's own.
        """
        body = {"target": target, "id": target_id, "post_id": post_id, "reason": reason, "note": note}
        await self._post("/v1/reports", msgspec.Raw, body)

    async def observe(self, observations: Sequence["Observation"]) -> int:
        """Send what was seen of posts. Returns how many observations were accepted."""
        return (await self._post("/v1/events", v.Accepted, {"events": observations})).accepted


class Observation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was seen of a post.

    Args:
        type: what kind of observation it is.
        post_id: the post.
        surface: where.
        at: when, with its offset from UTC.
        dwell_ms: of a dwell, how long the post was in view.
    """

    type: Literal["impression", "dwell", "view"]
    post_id: str
    surface: Literal["feed", "profile", "post", "saved"]
    at: datetime
    dwell_ms: int | None = None
