"""Random events over a world so small that everything meets everything."""

from hypothesis import strategies as st

from photolog.ids import EPOCH_MS
from schemas import events as e

PEOPLE = (101, 102, 103, 104)
SHARES = {601: 201, 602: 201, 603: 202}  # share → post: an id is given once
POSTS = {201: 101, 202: 101, 203: 102, 204: 103}  # post → owner: a post's events share its owner's key
MEDIA = {301: 101, 302: 102}
START_MS = EPOCH_MS + 86_400_000

people = st.sampled_from(PEOPLE)
pairs = st.tuples(people, people).filter(lambda pair: pair[0] != pair[1])
posts = st.sampled_from(sorted(POSTS))
media = st.sampled_from(sorted(MEDIA))
comments = st.tuples(posts, st.integers(401, 404))
times_ms = st.integers(START_MS, START_MS + 3)
"""A clock that stands still and steps back: order is the log's, never a clock's."""


def _follow(pair: tuple[int, int], wanted: str) -> e.Event:
    return e.FollowCreated(follower_id=pair[0], followee_id=pair[1], wanted_status=wanted)  # type: ignore[arg-type]


def _approved(pair: tuple[int, int], requested_ms: int) -> e.Event:
    return e.FollowApproved(follower_id=pair[0], followee_id=pair[1], requested_ms=requested_ms)


def _deferred(pair: tuple[int, int], followed_ms: int) -> e.Event:
    return e.FollowDeferred(follower_id=pair[0], followee_id=pair[1], followed_ms=followed_ms)


def _edge(event: type[e.Event]) -> st.SearchStrategy[e.Event]:
    first, second = event.__struct_fields__[:2]
    return pairs.map(lambda pair: event(**{first: pair[0], second: pair[1]}))


graph_events: st.SearchStrategy[e.Event] = st.one_of(
    st.builds(_follow, pairs, st.sampled_from(["active", "active", "pending"])),
    *(
        _edge(event)
        for event in (
            e.FollowDeleted,
            e.FollowApproved,
            e.FollowDenied,
            e.FollowerRemoved,
            e.AccountBlocked,
            e.AccountUnblocked,
            e.AccountMuted,
            e.AccountUnmuted,
        )
    ),
    st.builds(_approved, pairs, times_ms),
    st.builds(_deferred, pairs, times_ms),
)


def _created(post_id: int) -> e.Event:
    return e.PostCreated(
        post_id=post_id,
        owner_id=POSTS[post_id],
        media_ids=sorted(MEDIA),
        alt_texts=None,
        caption=f"caption of {post_id}",
        mentions=[],
        location=None,
        hashtags=[],
        audience="public",
    )


def _published(post_id: int, published_ms: int) -> e.Event:
    return e.PostPublished(
        post_id=post_id, owner_id=POSTS[post_id], published_ms=published_ms, delivery="push", media=[]
    )


def _rejected(post_id: int) -> e.Event:
    return e.PostRejected(post_id=post_id, owner_id=POSTS[post_id], media_id=301, reason="not-an-image")


def _captioned(post_id: int, caption: str) -> e.Event:
    owner_id = POSTS[post_id]
    return e.PostCaptionChanged(post_id=post_id, owner_id=owner_id, caption=caption, mentions=[], hashtags=[])


post_events: st.SearchStrategy[e.Event] = st.one_of(
    posts.map(_created),
    st.builds(_published, posts, times_ms),
    posts.map(_rejected),
    st.builds(_captioned, posts, st.sampled_from(["one", "two"])),
    posts.map(lambda post_id: e.PostDeleted(post_id=post_id, owner_id=POSTS[post_id])),
)
like_events: st.SearchStrategy[e.Event] = st.one_of(
    st.builds(e.PostLiked, actor_id=people, post_id=posts), st.builds(e.PostUnliked, actor_id=people, post_id=posts)
)
parents = st.sampled_from([None, None, 401, 402])
likes_counted: st.SearchStrategy[e.Event] = st.builds(
    lambda at, source, version, count: e.CommentLikesCounted(
        post_id=at[0], comment_id=at[1], source=source, version=version, count=count
    ),
    comments,
    st.integers(0, 2),
    st.integers(0, 9),
    st.sampled_from([0, 1, 2, 3, 70, 71, 900]),
)
comment_events: st.SearchStrategy[e.Event] = st.one_of(
    st.builds(
        lambda at, parent_id: e.CommentCreated(
            post_id=at[0], comment_id=at[1], author_id=101, text=f"text of {at[1]}", parent_id=parent_id
        ),
        comments,
        parents,
    ),
    st.builds(
        lambda at, parent_id: e.CommentDeleted(post_id=at[0], comment_id=at[1], deleted_by=101, parent_id=parent_id),
        comments,
        parents,
    ),
    likes_counted,
)
save_events: st.SearchStrategy[e.Event] = st.one_of(
    st.builds(
        lambda actor_id, post_id: e.PostSaved(actor_id=actor_id, post_id=post_id, owner_id=POSTS[post_id]),
        people,
        posts,
    ),
    st.builds(e.PostUnsaved, actor_id=people, post_id=posts),
)
share_events: st.SearchStrategy[e.Event] = st.builds(
    lambda actor_id, share_id: e.PostShared(
        share_id=share_id, actor_id=actor_id, post_id=SHARES[share_id], channel="link"
    ),
    people,
    st.sampled_from(sorted(SHARES)),
)
comment_like_events: st.SearchStrategy[e.Event] = st.one_of(
    *(
        st.builds(
            lambda event, actor_id, at: event(actor_id=actor_id, post_id=at[0], comment_id=at[1]),
            st.just(kind),
            people,
            comments,
        )
        for kind in (e.CommentLiked, e.CommentUnliked)
    )
)


def _reported(reporter_id: int, post_id: int, attempt: int) -> e.Event:
    """A report whose id nobody else's has."""
    return e.ContentReported(
        report_id=reporter_id * 10_000 + post_id * 10 + attempt,
        reporter_id=reporter_id,
        target="post",
        target_id=post_id,
        post_id=None,
        owner_id=POSTS[post_id],
        reason="spam",
        note="look at this",
    )


report_events: st.SearchStrategy[e.Event] = st.one_of(
    st.builds(_reported, people, posts, st.integers(1, 3)),
    st.builds(e.ReportWithdrawn, reporter_id=people, target=st.just("post"), target_id=posts),
)
account_events: st.SearchStrategy[e.Event] = st.one_of(
    st.builds(
        e.AccountCreated, account_id=people, username=st.just("anna"), display_name=st.none(), private=st.booleans()
    ),
    st.builds(e.PrivacyChanged, account_id=people, private=st.booleans()),
    st.builds(e.RequestsApproved, account_id=people),
    st.builds(e.AccountSuspended, account_id=people, reason=st.just("spam"), operator=st.just("op")),
    st.builds(e.AccountReinstated, account_id=people, operator=st.just("op")),
    st.builds(e.AccountDeleted, account_id=people),
    st.builds(e.AccountVerified, account_id=people, operator=st.just("op")),
    st.builds(e.AccountUnverified, account_id=people, operator=st.just("op")),
)
media_events: st.SearchStrategy[e.Event] = st.one_of(
    media.map(
        lambda medium: e.MediaTranscodingCompleted(
            media_id=medium, owner_id=MEDIA[medium], width=4, height=3, variants=[]
        )
    ),
    media.map(
        lambda medium: e.MediaTranscodingFailed(
            media_id=medium, owner_id=MEDIA[medium], reason="not-an-image", detail=""
        )
    ),
)
social_events: st.SearchStrategy[e.Event] = st.one_of(
    graph_events,
    graph_events,
    post_events,
    like_events,
    comment_events,
    comment_events,
    account_events,
    media_events,
    save_events,
    share_events,
    comment_like_events,
    report_events,
)
