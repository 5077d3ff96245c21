"""What the read models must say, worked out the simplest way: dictionaries, in the order in which things happened."""

from dataclasses import dataclass, field

from schemas import events as e
from tests.replay.naive_stories import NaiveStories
from tests.replay.naive_windows import NaiveModeration, NaiveWindows

Edge = tuple[int, int]


@dataclass(slots=True)
class NaivePost:
    """A post's owner, status and place in publication order."""

    owner_id: int
    status: str = "processing"
    caption: str | None = None
    published_ms: int | None = None


@dataclass(slots=True)
class NaiveComment:
    """A comment's text and place, and of each source the newest count of its likes with the count's version."""

    text: str | None
    parent_id: int | None
    likes: dict[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class NaiveWorld:
    """Each event is applied once, when it is first appended. Values are since when, Unix ms."""

    follows: dict[Edge, int] = field(default_factory=dict)
    requests: dict[Edge, int] = field(default_factory=dict)
    blocks: dict[Edge, int] = field(default_factory=dict)
    mutes: dict[Edge, int] = field(default_factory=dict)
    likes: dict[Edge, int] = field(default_factory=dict)
    comments: dict[Edge, NaiveComment] = field(default_factory=dict)
    saves: dict[Edge, int] = field(default_factory=dict)
    shares: dict[Edge, int] = field(default_factory=dict)
    comment_likes: dict[Edge, int] = field(default_factory=dict)
    reports: dict[tuple[int, str, int], tuple[int, int]] = field(default_factory=dict)
    posts: dict[int, NaivePost] = field(default_factory=dict)
    media: dict[int, str] = field(default_factory=dict)
    private: dict[int, bool] = field(default_factory=dict)
    suspended: set[int] = field(default_factory=set)
    deleted: set[int] = field(default_factory=set)
    stories: NaiveStories = field(default_factory=NaiveStories)
    windows: NaiveWindows = field(default_factory=NaiveWindows)
    moderation: NaiveModeration = field(default_factory=NaiveModeration)

    def apply(self, event: e.Event, at_ms: int) -> None:
        """Let an event happen."""
        match event.capability:
            case "graph":
                self._graph(event, at_ms)
            case "posts":
                self._posts(event)
            case "engagement":
                self._engagement(event, at_ms)
            case "reports":
                self._reports(event, at_ms)
            case "accounts":
                self._accounts(event)
            case "media":
                self._media(event)
            case "stories":
                self.stories.apply(event, at_ms)
            case "windows":
                self.windows.apply(event)
            case "moderation":
                self.moderation.apply(event, at_ms)

    def feed(self, viewer_id: int) -> list[int]:
        """The whole home feed of a viewer: what they and those they follow published, newest first."""
        shown = [
            (post.published_ms or 0, post_id)
            for post_id, post in self.posts.items()
            if post.status == "published" and (post.owner_id == viewer_id or self._shows(viewer_id, post.owner_id))
        ]
        return [post_id for _, post_id in sorted(shown, reverse=True)]

    def _shows(self, viewer_id: int, author_id: int) -> bool:
        return (
            (viewer_id, author_id) in self.follows
            and (viewer_id, author_id) not in self.mutes
            and not {(viewer_id, author_id), (author_id, viewer_id)} & self.blocks.keys()
            and author_id in self.private
            and author_id not in self.suspended
            and author_id not in self.deleted
        )

    def _graph(self, event: e.Event, at_ms: int) -> None:
        match event:
            case e.FollowCreated(follower_id=a, followee_id=b, wanted_status=wanted):
                if (a, b) not in self.follows and (a, b) not in self.blocks and (b, a) not in self.blocks:
                    if wanted == "active":
                        self.requests.pop((a, b), None)
                        self.follows[a, b] = at_ms
                    else:
                        self.requests.setdefault((a, b), at_ms)
            case e.FollowDeleted(follower_id=a, followee_id=b):
                self.follows.pop((a, b), None)
                self.requests.pop((a, b), None)
            case e.FollowApproved(follower_id=a, followee_id=b, requested_ms=requested_ms):
                since_ms = self.requests.get((a, b))
                if since_ms is not None and requested_ms in (None, since_ms):
                    del self.requests[a, b]
                    self.follows[a, b] = at_ms
            case e.FollowDeferred(follower_id=a, followee_id=b, followed_ms=followed_ms):
                if self.follows.get((a, b)) == followed_ms:
                    del self.follows[a, b]
                    self.requests[a, b] = at_ms
            case e.FollowDenied(follower_id=a, followee_id=b):
                self.requests.pop((a, b), None)
            case e.FollowerRemoved(follower_id=a, followee_id=b):
                self.follows.pop((a, b), None)
            case e.AccountBlocked(blocker_id=a, blocked_id=b):
                self.blocks.setdefault((a, b), at_ms)
                for edges in (self.follows, self.requests):
                    edges.pop((a, b), None)
                    edges.pop((b, a), None)
            case e.AccountUnblocked(blocker_id=a, blocked_id=b):
                self.blocks.pop((a, b), None)
            case e.AccountMuted(muter_id=a, muted_id=b):
                self.mutes.setdefault((a, b), at_ms)
            case e.AccountUnmuted(muter_id=a, muted_id=b):
                self.mutes.pop((a, b), None)

    def _posts(self, event: e.Event) -> None:
        match event:
            case e.PostCreated(post_id=post_id, owner_id=owner_id, caption=caption):
                self.posts.setdefault(post_id, NaivePost(owner_id, caption=caption))
            case e.PostPublished(post_id=post_id, published_ms=published_ms):
                post = self.posts.get(post_id)
                if post and post.status == "processing":
                    post.status, post.published_ms = "published", published_ms
            case e.PostRejected(post_id=post_id):
                post = self.posts.get(post_id)
                if post and post.status == "processing":
                    post.status = "rejected"
            case e.PostCaptionChanged(post_id=post_id, caption=caption):
                post = self.posts.get(post_id)
                if post and post.status != "deleted":
                    post.caption = caption
            case e.PostDeleted(post_id=post_id):
                post = self.posts.get(post_id)
                if post:
                    post.status, post.caption = "deleted", None

    def _engagement(self, event: e.Event, at_ms: int) -> None:
        match event:
            case e.PostLiked(actor_id=actor_id, post_id=post_id):
                self.likes.setdefault((actor_id, post_id), at_ms)
            case e.PostUnliked(actor_id=actor_id, post_id=post_id):
                self.likes.pop((actor_id, post_id), None)
            case e.PostSaved(actor_id=actor_id, post_id=post_id):
                self.saves.setdefault((actor_id, post_id), at_ms)
            case e.PostUnsaved(actor_id=actor_id, post_id=post_id):
                self.saves.pop((actor_id, post_id), None)
            case e.PostShared(actor_id=actor_id, share_id=share_id, post_id=post_id):
                self.shares.setdefault((actor_id, share_id), post_id)
            case e.CommentLiked(actor_id=actor_id, comment_id=comment_id):
                self.comment_likes.setdefault((actor_id, comment_id), at_ms)
            case e.CommentUnliked(actor_id=actor_id, comment_id=comment_id):
                self.comment_likes.pop((actor_id, comment_id), None)
            case _:
                self._comments(event)

    def _comments(self, event: e.Event) -> None:
        match event:
            case e.CommentCreated(post_id=post_id, comment_id=comment_id, text=text, parent_id=parent_id):
                self.comments.setdefault((post_id, comment_id), NaiveComment(text, parent_id))
            case e.CommentDeleted(post_id=post_id, comment_id=comment_id, parent_id=parent_id):
                comment = self.comments.get((post_id, comment_id))
                if comment and comment.parent_id == parent_id:
                    del self.comments[post_id, comment_id]
            case e.CommentLikesCounted(post_id=post_id, comment_id=comment_id, source=source):
                comment = self.comments.get((post_id, comment_id))
                if comment and event.version > comment.likes.get(source, (-1, 0))[0]:
                    comment.likes[source] = (event.version, event.count)

    def _reports(self, event: e.Event, at_ms: int) -> None:
        match event:
            case e.ContentReported():
                self.reports.setdefault((event.reporter_id, event.target, event.target_id), (event.report_id, at_ms))
            case e.ReportWithdrawn():
                self.reports.pop((event.reporter_id, event.target, event.target_id), None)

    def _accounts(self, event: e.Event) -> None:
        if getattr(event, "account_id", None) in self.deleted:
            return
        match event:
            case e.AccountCreated(account_id=account_id, private=private):
                self.private.setdefault(account_id, private)
            case e.PrivacyChanged(account_id=account_id, private=private) if account_id in self.private:
                self.private[account_id] = private
            case e.AccountSuspended(account_id=account_id) if account_id in self.private:
                self.suspended.add(account_id)
            case e.AccountReinstated(account_id=account_id):
                self.suspended.discard(account_id)
            case e.AccountDeleted(account_id=account_id) if account_id in self.private:
                self.private[account_id] = True
                self.suspended.discard(account_id)
                self.deleted.add(account_id)

    def _media(self, event: e.Event) -> None:
        match event:
            case e.MediaTranscodingCompleted(media_id=media_id):
                self.media[media_id] = "ready"  # also what was refused before
            case e.MediaTranscodingFailed(media_id=media_id):
                self.media.setdefault(media_id, "failed")
