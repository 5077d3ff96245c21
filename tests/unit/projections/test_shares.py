"""Shares: each counts, and none twice."""

from projections.shares import SHARE_COUNTS, SHARES, SHARES_PROJECTION, ShareRow
from schemas import events as e
from tests.unit.projections.folding import START_MS, Folding

POST = 90


def share(share_id: int, actor_id: int = 1) -> e.Event:
    return e.PostShared(share_id=share_id, actor_id=actor_id, post_id=POST, channel="story")


def count(folding: Folding) -> int:
    return sum(row.count for row in folding.rows(SHARE_COUNTS, POST))


def test_every_share_counts_also_of_one_person() -> None:
    folding = Folding(SHARES_PROJECTION).apply(share(5), share(6), share(7, actor_id=2))
    assert count(folding) == 3
    assert folding.row(SHARES.key(1, 5)) == ShareRow(
        actor_id=1, share_id=5, post_id=POST, channel="story", shared_ms=START_MS
    )


def test_the_same_share_again_does_not_count() -> None:
    assert count(Folding(SHARES_PROJECTION).apply(share(5), share(5), share(6), share(5))) == 2
