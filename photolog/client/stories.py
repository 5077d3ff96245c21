"""Stories, their tray, views, replies, reactions and highlights; and what trends."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

import msgspec

from photolog.client import told_stories as t
from photolog.client import views as v
from photolog.client.calls import Calls


class StoryCalls(Calls):
    """What people do with stories of their own and of others."""

    async def create_story(
        self, media_id: str, audience: t.StoryAudience = "everyone", alt_text: str | None = None
    ) -> str:
        """Show media that was uploaded with the purpose `story`, for a day. Returns the story's id."""
        body = {"media_id": media_id, "audience": audience, "alt_text": alt_text}
        return (await self._post("/v1/stories", t.StoryAccepted, body)).story_id

    async def story(self, story_id: str) -> t.Story:
        """One story, while it is live; of one's own, for ever."""
        return await self.transport.query(f"/v1/stories/{story_id}", t.Story)

    async def stories_of(self, account_id: str) -> list[t.Story]:
        """An account's live stories in the order of playback."""
        return (await self.transport.query(f"/v1/accounts/{account_id}/stories", t.Playback)).items

    async def story_tray(self) -> t.Tray:
        """Who of those followed has live stories: who has something unseen first."""
        return await self.transport.query("/v1/stories/tray", t.Tray)

    async def see_stories(self, seen: Mapping[str, datetime]) -> int:
        """Send which stories were seen, and since when, with the offset from UTC. Returns how many were accepted."""
        views = [{"story_id": story_id, "at": at} for story_id, at in seen.items()]
        return (await self._post("/v1/stories/views", v.Accepted, {"views": views})).accepted

    async def reply_to_story(self, story_id: str, text: str) -> str:
        """Words to a story's owner alone. Returns the reply's id."""
        return (await self._post(f"/v1/stories/{story_id}/replies", t.StoryReplyWritten, {"text": text})).reply_id

    async def react_to_story(self, story_id: str, reaction: str) -> None:
        """One emoji, in the place of an earlier one."""
        await self._put(f"/v1/stories/{story_id}/reaction", msgspec.Raw, {"reaction": reaction})

    def story_replies(self, story_id: str) -> AsyncIterator[t.StoryReply]:
        """The replies to a story of one's own, the newest first."""
        return self._all(f"/v1/stories/{story_id}/replies", t.StoryReply)

    def story_reactions(self, story_id: str) -> AsyncIterator[t.StoryReaction]:
        """The reactions to a story of one's own, the newest first."""
        return self._all(f"/v1/stories/{story_id}/reactions", t.StoryReaction)

    def story_viewers(self, story_id: str) -> AsyncIterator[v.Account]:
        """Who saw a story of one's own, the last first."""
        return self._all(f"/v1/stories/{story_id}/viewers", v.Account)

    async def count_close(self, account_id: str) -> None:
        """Count an account among one's close friends."""
        await self._put(f"/v1/me/close-friends/{account_id}", msgspec.Raw)

    async def make_highlight(self, title: str, story_ids: Sequence[str]) -> str:
        """Keep stories of one's own on the profile. Returns the highlight's id."""
        body = {"title": title, "story_ids": story_ids}
        return (await self._post("/v1/highlights", t.HighlightWritten, body)).highlight_id

    async def highlight(self, highlight_id: str) -> t.Highlight:
        """A highlight with the stories of it that one may see."""
        return await self.transport.query(f"/v1/highlights/{highlight_id}", t.Highlight)

    async def trending(self, limit: int = 20) -> t.Trending:
        """The hashtags that most people used within the last hour that is told, in the world."""
        return await self.transport.query("/v1/trending", t.Trending, limit=limit)
