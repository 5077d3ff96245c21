"""The rules of who sees what, each by itself."""

import itertools
from collections.abc import Awaitable, Callable, Sequence

import pytest

from gateway.visibility import (
    may_see_account,
    may_see_lists_of,
    may_see_post,
    may_see_posts_of,
    see_account,
    see_post,
)
from photolog.errors import NotFound
from projections.accounts import ACCOUNTS, AccountRow
from projections.posts import POSTS, PostRow, PostStatus
from projections.relations import Relation
from projections.stores.memory_rows import MemoryRows
from projections.stores.port import RowStore
from projections.tables import R, Row, RowKey
from projections.writes import Kept, Positioned, put

VIEWER, AUTHOR = 1, 2
STATUSES: tuple[PostStatus, ...] = ("processing", "published", "rejected", "deleted")


def account(*, private: bool = False, suspended: bool = False) -> AccountRow:
    return AccountRow(
        account_id=AUTHOR,
        username="ada",
        display_name=None,
        bio=None,
        private=private,
        suspended=suspended,
        created_ms=0,
    )


def post(status: PostStatus) -> PostRow:
    return PostRow(
        post_id=3,
        owner_id=AUTHOR,
        status=status,
        caption=None,
        mentions=[],
        hashtags=[],
        alt_texts=[],
        location_name=None,
        location_latitude=None,
        location_longitude=None,
        audience="public",
        media_ids=[4],
        media=None,
        delivery=None,
        created_ms=0,
        published_ms=None,
        edited_ms=None,
        rejection=None,
    )


RELATIONS = [
    Relation(follows=follows, blocks=blocks, blocked_by=blocked_by, mutes=mutes)  # type: ignore[arg-type]  # one of the three
    for follows, blocks, blocked_by, mutes in itertools.product(
        ("none", "pending", "active"), (False, True), (False, True), (False, True)
    )
]


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("suspended", [False, True])
def test_what_a_stranger_sees(relation: Relation, private: bool, suspended: bool) -> None:
    seen = account(private=private, suspended=suspended)
    there = not (suspended or relation.blocks or relation.blocked_by)
    open_to = there and (not private or relation.follows == "active")
    assert may_see_account(VIEWER, seen, relation) is there
    assert may_see_posts_of(VIEWER, seen, relation) is open_to
    assert may_see_lists_of(VIEWER, seen, relation) is open_to
    for status in STATUSES:
        assert may_see_post(VIEWER, post(status), seen, relation) is (open_to and status == "published")


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("suspended", [False, True])
def test_everyone_sees_themself(private: bool, suspended: bool) -> None:
    own = account(private=private, suspended=suspended)
    assert may_see_account(AUTHOR, own, Relation())
    assert may_see_posts_of(AUTHOR, own, Relation())
    assert may_see_lists_of(AUTHOR, own, Relation())
    assert [may_see_post(AUTHOR, post(status), own, Relation()) for status in STATUSES] == [True, True, True, False]


def test_the_anonymous_see_what_is_public_but_no_lists() -> None:
    assert may_see_account(None, account(), Relation())
    assert may_see_account(None, account(private=True), Relation())
    assert not may_see_account(None, account(suspended=True), Relation())
    assert may_see_post(None, post("published"), account(), Relation())
    assert not may_see_post(None, post("published"), account(private=True), Relation())
    assert not may_see_lists_of(None, account(), Relation())


class Calls(MemoryRows):
    """Rows that note how they are asked."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[str] = []

    async def load(self, keys: Sequence[RowKey[Row]]) -> dict[RowKey[Row], Kept]:
        self.made.append(f"load {len(keys)}")
        return await super().load(keys)

    async def get(self, key: RowKey[R]) -> R | None:
        self.made.append("get")
        return await super().get(key)


@pytest.mark.parametrize("viewer", [VIEWER, None])
@pytest.mark.parametrize("see", [see_account, see_post])
async def test_what_is_hidden_takes_the_round_trips_of_what_is_not_there(
    viewer: int | None, see: Callable[[RowStore, int | None, int], Awaitable[object]]
) -> None:
    rows = Calls()
    hidden = [put(ACCOUNTS, account(private=True, suspended=True)), put(POSTS, post("published"))]
    await rows.apply([[Positioned(write, 1) for write in hidden]])
    made = []
    for wanted in (AUTHOR if see is see_account else 3, 4_242):
        rows.made.clear()
        with pytest.raises(NotFound):
            await see(rows, viewer, wanted)
        made.append(list(rows.made))
    assert made[0] == made[1] != []


def test_what_is_not_there_is_seen_by_nobody() -> None:
    assert not may_see_account(VIEWER, None, Relation())
    assert not may_see_posts_of(VIEWER, None, Relation(follows="active"))
    assert not may_see_post(VIEWER, None, account(), Relation())
    assert not may_see_post(VIEWER, post("published"), None, Relation(follows="active"))
