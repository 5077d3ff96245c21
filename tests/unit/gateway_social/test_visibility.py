"""The rules of who sees what, each by itself."""

import itertools

import pytest

from gateway.visibility import may_see_account, may_see_lists_of, may_see_post, may_see_posts_of
from projections.accounts import AccountRow
from projections.posts import PostRow, PostStatus
from projections.relations import Relation

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


def test_what_is_not_there_is_seen_by_nobody() -> None:
    assert not may_see_account(VIEWER, None, Relation())
    assert not may_see_posts_of(VIEWER, None, Relation(follows="active"))
    assert not may_see_post(VIEWER, None, account(), Relation())
    assert not may_see_post(VIEWER, post("published"), None, Relation(follows="active"))
