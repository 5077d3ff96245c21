"""Random results of windows of time, and what operators bar and block, in the world of `actions`."""

from hypothesis import strategies as st

from schemas import events as e
from tests.replay.actions import POSTS, START_MS

SCOPES = ("world", "u33", "u34")
HASHTAGS = ("dusk", "dawn", "été")
DIGESTS = ("aa", "bb")
WINDOW_MS = 300_000
WINDOWS_MS = (WINDOW_MS, 12 * WINDOW_MS)
MEASURED = (*((post_id, 0, 0) for post_id in sorted(POSTS)[:2]), (0, 101, 0), (0, 101, 102))
"""Post, author and viewer of what is measured, 0 for none."""

hashtags = st.sampled_from(HASHTAGS)
digests = st.sampled_from(DIGESTS)
ends_ms = st.integers(0, 3).map(lambda number: START_MS + number * WINDOW_MS)
counts = st.integers(0, 3)


def _ranked(scope: str, end_ms: int, people: dict[str, int]) -> e.Event:
    return e.HashtagsRanked(
        scope=scope,
        window_start_ms=end_ms - 12 * WINDOW_MS,
        window_end_ms=end_ms,
        hashtags=[e.RankedHashtag(hashtag=hashtag, people=count) for hashtag, count in people.items()],
    )


def _measured(of: tuple[int, int, int], window_ms: int, from_ms: int, likes: int, views: float) -> e.Event:
    post_id, author_id, viewer_id = of
    return e.EngagementMeasured(
        measured="affinity" if viewer_id else "author" if author_id else "post",
        post_id=post_id,
        author_id=author_id,
        viewer_id=viewer_id,
        window_ms=window_ms,
        valid_from_ms=from_ms,
        valid_until_ms=from_ms + WINDOW_MS,
        likes=likes,
        comments=0,
        shares=0,
        saves=0,
        views=views,
        rate=likes / 2,
    )


window_events: st.SearchStrategy[e.Event] = st.one_of(
    st.builds(_ranked, st.sampled_from(SCOPES), ends_ms, st.dictionaries(hashtags, st.integers(1, 2))),
    st.builds(
        _measured, st.sampled_from(MEASURED), st.sampled_from(WINDOWS_MS), ends_ms, counts, st.sampled_from([0.5, 2.0])
    ),
)
moderation_events: st.SearchStrategy[e.Event] = st.one_of(
    st.builds(
        e.HashtagBarred, hashtag=hashtags, reason=st.sampled_from(["blocked", "sensitive"]), operator=st.just("op")
    ),
    st.builds(e.HashtagUnbarred, hashtag=hashtags, operator=st.just("op")),
    st.builds(e.ContentBlocked, digest=digests, rule=st.sampled_from(["hate", "spam"]), operator=st.just("op")),
    st.builds(e.ContentUnblocked, digest=digests, operator=st.just("op")),
)
