"""What operators do about media and posts, by a token of theirs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from photolog.client import gateway_pool, store_pool
from photolog.client.calls import Calls
from photolog.client.views import Tokens, View


class WaitingMedia(View, frozen=True, kw_only=True):
    """Media that waits for an operator; `picture` is an address that is good for a minute or so."""

    id: str
    owner_id: str
    kind: str
    width: int
    height: int
    duration_ms: int
    waiting_since: str
    classifier: str
    reason: str
    labels: dict[str, float]
    digest: str | None
    picture: str | None


class Moderated(View, frozen=True, kw_only=True):
    media_id: str
    moderation: str


class TakenDown(View, frozen=True, kw_only=True):
    post_ids: list[str]
    story_ids: list[str]
    media_ids: list[str]
    blocked: list[str]


class Blocked(View, frozen=True, kw_only=True):
    digest: str


class BarredHashtag(View, frozen=True, kw_only=True):
    hashtag: str
    reason: str
    operator: str
    barred_at: str


class BarredHashtags(View, frozen=True, kw_only=True):
    items: list[BarredHashtag]


class NowBarred(View, frozen=True, kw_only=True):
    hashtag: str


class Moderator(Calls):
    """An operator's calls. Each raises what the gateway raised."""

    def holds(self, token: str, seconds: int) -> None:
        """Use an operator's token, which nothing refreshes."""
        tokens = Tokens(account_id="", access_token=token, refresh_token="", expires_in_seconds=seconds)
        self.transport.hold(tokens)

    def waiting(self) -> AsyncIterator[WaitingMedia]:
        """What waits for a decision, the oldest first."""
        return self._all("/v1/moderation/queue", WaitingMedia)

    async def allow(self, media_id: str, note: str = "") -> Moderated:
        """Media may be published."""
        return await self._media(media_id, "decision", {"decision": "allowed", "note": note})

    async def refuse(self, media_id: str, rule: str, note: str = "") -> Moderated:
        """Media may not be published."""
        return await self._media(media_id, "decision", {"decision": "refused", "rule": rule, "note": note})

    async def reinstate(self, media_id: str) -> Moderated:
        """Media was taken down by mistake."""
        return await self._media(media_id, "reinstate")

    async def take_down(self, post_id: str, rule: str, note: str = "") -> TakenDown:
        """A post is shown to nobody any more, nor is what it shows."""
        body = {"rule": rule, "note": note}
        return await self._post(f"/v1/moderation/posts/{post_id}/takedown", TakenDown, body)

    async def take_down_story(self, story_id: str, rule: str, note: str = "") -> TakenDown:
        """A story is shown to nobody any more, nor is what it shows."""
        body = {"rule": rule, "note": note}
        return await self._post(f"/v1/moderation/stories/{story_id}/takedown", TakenDown, body)

    async def block(self, rule: str, note: str = "", **content: str) -> Blocked:
        """A content may not be uploaded; by `media_id`, or by `digest` or `sha256`, and perhaps `phash`."""
        return await self._post("/v1/moderation/blocks", Blocked, {"rule": rule, "note": note, **content})

    async def unblock(self, digest: str) -> None:
        """A content may be uploaded again."""
        await self._delete(f"/v1/moderation/blocks/{digest}", type(None))

    async def bar_hashtag(self, hashtag: str, reason: str) -> NowBarred:
        """A hashtag does not trend any more."""
        return await self._post("/v1/moderation/hashtags", NowBarred, {"hashtag": hashtag, "reason": reason})

    async def allow_hashtag(self, hashtag: str) -> None:
        """A hashtag may trend again."""
        await self._delete(f"/v1/moderation/hashtags/{quote(hashtag, safe='')}", type(None))

    async def barred_hashtags(self) -> list[BarredHashtag]:
        """What does not trend, by its text."""
        return (await self.transport.query("/v1/moderation/hashtags", BarredHashtags)).items

    async def _media(self, media_id: str, deed: str, body: Any = None) -> Moderated:
        return await self._post(f"/v1/moderation/media/{media_id}/{deed}", Moderated, body)


@asynccontextmanager
async def connect_moderator(address: str, token: str, seconds: int) -> AsyncIterator[Moderator]:
    """An operator's calls to the gateway at an address.

    Args:
        address: the gateway's.
        token: the operator's.
        seconds: how long it is good.
    """
    async with gateway_pool(address) as gateway, store_pool() as store:
        moderator = Moderator(gateway, store)
        moderator.holds(token, seconds)
        yield moderator
