"""What is known of windows of time, and of what operators bar and block, worked out the simplest way."""

from dataclasses import dataclass, field

from schemas import events as e

Feature = tuple[int, int, int, int]
"""Post, author and viewer, 0 for none, and the window in milliseconds."""


@dataclass(slots=True)
class NaiveWindows:
    """What was said last of each window, and the newest measurement of each feature."""

    trends: dict[tuple[str, int], list[tuple[str, int]]] = field(default_factory=dict)
    features: dict[Feature, e.EngagementMeasured] = field(default_factory=dict)

    def apply(self, event: e.Event) -> None:
        """Let an event happen."""
        match event:
            case e.HashtagsRanked(scope=scope, window_end_ms=end_ms, hashtags=hashtags):
                most = sorted((-one.people, one.hashtag) for one in hashtags)
                self.trends[scope, end_ms] = [(hashtag, -people) for people, hashtag in most]
            case e.EngagementMeasured():
                of = (event.post_id, event.author_id, event.viewer_id, event.window_ms)
                before = self.features.get(of)
                if before is None or before.valid_from_ms <= event.valid_from_ms:
                    self.features[of] = event


@dataclass(slots=True)
class NaiveModeration:
    """What was said last of each hashtag and of each content, with when, Unix ms."""

    hashtags: dict[str, tuple[str, int]] = field(default_factory=dict)
    contents: dict[str, tuple[str, int]] = field(default_factory=dict)

    def apply(self, event: e.Event, at_ms: int) -> None:
        """Let an event happen."""
        match event:
            case e.HashtagBarred(hashtag=hashtag, reason=reason):
                self.hashtags[hashtag] = (reason, at_ms)
            case e.HashtagUnbarred(hashtag=hashtag):
                self.hashtags.pop(hashtag, None)
            case e.ContentBlocked(digest=digest, rule=rule):
                self.contents[digest] = (rule, at_ms)
            case e.ContentUnblocked(digest=digest):
                self.contents.pop(digest, None)
