"""What is kept out of trends: what was said last of a hashtag holds, and the list is one row."""

from projections.barred_hashtags import ALL, BARRED_HASHTAGS, BARRED_HASHTAGS_PROJECTION
from schemas import events as e
from tests.unit.projections.folding import START_MS, Folding


def barred(*events: e.Event) -> list[tuple[str, str, str]]:
    row = Folding(BARRED_HASHTAGS_PROJECTION).apply(*events).row(BARRED_HASHTAGS.key(ALL))
    return [] if row is None else list(zip(row.hashtags, row.reasons, row.operators, strict=True))


def bar(hashtag: str, operator: str = "op") -> e.HashtagBarred:
    return e.HashtagBarred(hashtag=hashtag, reason="blocked", operator=operator)


def test_barred_hashtags_are_listed_by_their_texts() -> None:
    sensitive = e.HashtagBarred(hashtag="a", reason="sensitive", operator="eva")
    assert barred(bar("b"), sensitive) == [("a", "sensitive", "eva"), ("b", "blocked", "op")]


def test_the_last_word_holds() -> None:
    allowed = e.HashtagUnbarred(hashtag="b", operator="op")
    assert barred(bar("b"), bar("c"), allowed) == [("c", "blocked", "op")]
    assert barred(bar("b"), allowed, bar("b", "eva")) == [("b", "blocked", "eva")]
    assert barred(allowed) == []


def test_it_is_known_since_when() -> None:
    row = Folding(BARRED_HASHTAGS_PROJECTION).apply(bar("b")).row(BARRED_HASHTAGS.key(ALL))
    assert row is not None
    assert row.barred_ms == [START_MS]
