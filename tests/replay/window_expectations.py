"""Holds rows of windows, and of what operators bar and block, against the naive ones."""

from projections.barred_hashtags import ALL, BARRED_HASHTAGS
from projections.blocks import BLOCKED_CONTENTS
from projections.features import FEATURES
from projections.stores.memory_rows import MemoryRows
from projections.trending import PAST_TRENDS, TRENDS
from tests.replay.naive_windows import NaiveModeration, NaiveWindows
from tests.replay.window_actions import DIGESTS, MEASURED, SCOPES, WINDOWS_MS
from tests.unit.projections.folding import at_once


def hold_windows(store: MemoryRows, naive: NaiveWindows) -> None:
    """Assert that trends, their history and features are what the naive world says."""
    for scope in SCOPES:
        windows = sorted(((end_ms, most) for (of, end_ms), most in naive.trends.items() if of == scope), reverse=True)
        past = at_once(store.scan(PAST_TRENDS, (scope,), limit=100))
        told = [(row.window_end_ms, list(zip(row.hashtags, row.people, strict=True))) for row in past]
        assert told == windows
        newest = at_once(store.get(TRENDS.key(scope)))
        assert (newest and (newest.window_end_ms, list(zip(newest.hashtags, newest.people, strict=True)))) == (
            windows[0] if windows else None
        )
    for of in MEASURED:
        for window_ms in WINDOWS_MS:
            row, event = at_once(store.get(FEATURES.key(*of, window_ms))), naive.features.get((*of, window_ms))
            assert (row and (row.valid_from_ms, row.valid_until_ms, row.likes, row.views, row.rate)) == (
                event and (event.valid_from_ms, event.valid_until_ms, event.likes, event.views, event.rate)
            )


def hold_moderation(store: MemoryRows, naive: NaiveModeration) -> None:
    """Assert that both lists of operators are what the naive world says."""
    row = at_once(store.get(BARRED_HASHTAGS.key(ALL)))
    barred = zip(row.hashtags, row.reasons, row.barred_ms, strict=True) if row else ()
    assert list(barred) == sorted((hashtag, *said) for hashtag, said in naive.hashtags.items())
    for digest in DIGESTS:
        content = at_once(store.get(BLOCKED_CONTENTS.key(digest)))
        assert (content and (content.rule, content.blocked_ms)) == naive.contents.get(digest)
