"""Every surface on which somebody may see somebody else, asked over HTTP: in memory, and over the real engines."""

from dataclasses import dataclass
from typing import Any, Protocol

import httpx

OPEN = {"profile", "grid", "post", "photograph", "comments", "like", "followers", "following", "mutuals", "as author"}
CLOSED = {"profile", "as author"}
"""What is left to see of an account that is private to somebody: itself, also under what it wrote elsewhere."""


class Viewer(Protocol):
    """Somebody who is logged in."""

    async def request(self, method: str, path: str, **rest: Any) -> httpx.Response:
        """Send a request under their session."""


@dataclass(frozen=True, slots=True)
class Surfaces:
    """Where an account is to be seen.

    Args:
        account_id: the account.
        friend_id: whom it follows and is followed by.
        post_id: its post.
        media_id: the photograph of that.
        variant: a file of that.
        comment_id: its comment under it.
        elsewhere: another's post, under which it commented.
    """

    account_id: str
    friend_id: str
    post_id: str
    media_id: str
    variant: str
    comment_id: str
    elsewhere: str

    async def seen_by(self, viewer: Viewer) -> set[str]:
        """The surfaces on which the viewer sees the account, what it posted or what it is to others."""
        account, post = f"/v1/accounts/{self.account_id}", f"/v1/posts/{self.post_id}"
        asked = {
            "profile": ("GET", account, self.account_id),
            "grid": ("GET", f"{account}/posts", self.post_id),
            "post": ("GET", post, self.post_id),
            "photograph": ("GET", f"/v1/media/{self.media_id}/{self.variant}", ""),
            "comments": ("GET", f"{post}/comments", self.comment_id),
            "like": ("PUT", f"{post}/like", ""),
            "followers": ("GET", f"{account}/followers", self.friend_id),
            "following": ("GET", f"{account}/following", self.friend_id),
            "mutuals": ("GET", f"{account}/mutuals", self.friend_id),
            "as author": ("GET", f"/v1/posts/{self.elsewhere}/comments", self.account_id),
            "feed": ("GET", "/v1/feed", self.post_id),
        }
        found = set()
        for name, (method, path, wanted) in asked.items():
            answer = await viewer.request(method, path)
            assert answer.status_code in (200, 302, 403, 404), answer.text
            if answer.status_code < 400 and (not wanted or f'"{wanted}"' in answer.text):
                found.add(name)
        return found
