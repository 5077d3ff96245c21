"""What the read models of stories must say, worked out the simplest way."""

from dataclasses import dataclass, field

from schemas import events as e

Edge = tuple[int, int]


@dataclass(slots=True)
class NaiveStory:
    """A story as its owner's archive has it."""

    owner_id: int
    media_id: int
    audience: str
    alt_text: str | None
    status: str = "processing"
    published_ms: int | None = None
    expires_ms: int | None = None
    rule: str | None = None


@dataclass(slots=True)
class NaiveHighlight:
    """A highlight as it was saved last."""

    owner_id: int
    title: str | None
    story_ids: list[int]
    created_ms: int


@dataclass(slots=True)
class NaiveStories:
    """Each event is applied once, when it is first appended. Times in Unix ms."""

    stories: dict[int, NaiveStory] = field(default_factory=dict)
    highlights: dict[int, NaiveHighlight] = field(default_factory=dict)
    close_friends: dict[Edge, int] = field(default_factory=dict)
    replies: dict[Edge, tuple[int, str | None, int]] = field(default_factory=dict)
    reactions: dict[Edge, tuple[str, int]] = field(default_factory=dict)
    seen: dict[Edge, int] = field(default_factory=dict)
    viewers: dict[Edge, int] = field(default_factory=dict)
    views: dict[int, int] = field(default_factory=dict)

    def apply(self, event: e.Event, at_ms: int) -> None:
        """Let an event happen."""
        match event:
            case e.StoryCreated() | e.StoryPublished() | e.StoryRejected() | e.StoryDeleted():
                self._story(event)
            case e.HighlightSaved() | e.HighlightDeleted():
                self._highlight(event, at_ms)
            case e.CloseFriendAdded(owner_id=owner_id, friend_id=friend_id):
                self.close_friends.setdefault((owner_id, friend_id), at_ms)
            case e.CloseFriendRemoved(owner_id=owner_id, friend_id=friend_id):
                self.close_friends.pop((owner_id, friend_id), None)
            case e.StoryViewed(viewer_id=viewer_id, story_id=story_id, published_ms=published_ms):
                self.seen.setdefault((viewer_id, story_id), published_ms)
            case e.StoryViewCounted(viewer_id=viewer_id, story_id=story_id, viewed_ms=viewed_ms, views=views):
                self.viewers.setdefault((story_id, viewer_id), viewed_ms)
                self.views[story_id] = max(views, self.views.get(story_id, 0))
            case _:
                self._answer(event, at_ms)

    def _story(self, event: e.Event) -> None:
        if isinstance(event, e.StoryCreated):
            told = NaiveStory(event.owner_id, event.media_id, event.audience, event.alt_text)
            self.stories.setdefault(event.story_id, told)
            return
        story = self.stories.get(event.story_id)  # type: ignore[attr-defined]  # all of them name one
        if story is None or story.status == "deleted":
            return
        match event:
            case e.StoryPublished() if story.status == "processing":
                story.status, story.published_ms, story.expires_ms = "published", event.published_ms, event.expires_ms
            case e.StoryRejected(rule=rule) if story.status == "processing":
                story.status, story.rule = "rejected", rule
            case e.StoryDeleted(taken_down=rule):
                story.status, story.rule, story.alt_text = "deleted", rule, None

    def _highlight(self, event: e.HighlightSaved | e.HighlightDeleted, at_ms: int) -> None:
        before = self.highlights.pop(event.highlight_id, None)
        if isinstance(event, e.HighlightSaved):
            since_ms = before.created_ms if before else at_ms
            saved = NaiveHighlight(event.owner_id, event.title, event.story_ids, since_ms)
            self.highlights[event.highlight_id] = saved

    def _answer(self, event: e.Event, at_ms: int) -> None:
        match event:
            case e.StoryReplied(story_id=story_id, reply_id=reply_id, sender_id=sender_id, text=text):
                self.replies.setdefault((story_id, reply_id), (sender_id, text, at_ms))
            case e.StoryReplyDeleted(story_id=story_id, reply_id=reply_id, sender_id=sender_id):
                if self.replies.get((story_id, reply_id), (0,))[0] == sender_id:
                    del self.replies[story_id, reply_id]
            case e.StoryReacted(story_id=story_id, sender_id=sender_id, reaction=reaction):
                if self.reactions.get((story_id, sender_id), ("",))[0] != reaction:
                    self.reactions[story_id, sender_id] = (reaction, at_ms)
            case e.StoryReactionWithdrawn(story_id=story_id, sender_id=sender_id):
                self.reactions.pop((story_id, sender_id), None)
