"""Posts: from processing to published, rejected or deleted."""

import msgspec
import pytest

from projections.posts import (
    MEDIA_POSTS,
    POST_COUNTS,
    POSTS,
    POSTS_BY_OWNER,
    POSTS_PROJECTION,
    PUBLISHED_POSTS,
    PostRow,
    PublishedPostRow,
)
from schemas import events as e
from tests.unit.projections.folding import START_MS, Folding

ANNA, OTTO, POST = 11, 12, 90
ITEMS = [
    e.MediaItem(media_id=71, width=4_000, height=3_000, variants=["w320.jpeg"]),
    e.MediaItem(media_id=72, width=3_000, height=4_000, variants=["w320.jpeg"]),
]
CREATED = e.PostCreated(
    post_id=POST,
    owner_id=ANNA,
    media_ids=[71, 72],
    alt_texts=["a cat", None],
    caption="My #cat with @otto",
    mentions=["otto"],
    location=e.Location(name="Harbour", latitude=53.5, longitude=9.9),
    hashtags=["cat"],
    audience="public",
    coarse_cell="u1x",
)
PUBLISHED = e.PostPublished(post_id=POST, owner_id=ANNA, published_ms=5_000, delivery="push", media=ITEMS)
REJECTED = e.PostRejected(post_id=POST, owner_id=ANNA, media_id=72, reason="not-an-image")
CAPTIONED = e.PostCaptionChanged(post_id=POST, owner_id=ANNA, caption="#dog", mentions=[], hashtags=["dog"])
DELETED = e.PostDeleted(post_id=POST, owner_id=ANNA)
PLACE = PublishedPostRow(owner_id=ANNA, published_ms=5_000, post_id=POST)


def after(*events: e.Event) -> Folding:
    return Folding(POSTS_PROJECTION).apply(*events)


def post(*events: e.Event) -> PostRow:
    row = after(*events).row(POSTS.key(POST))
    assert row is not None
    return row


def grid(folding: Folding) -> list[tuple[int, str]]:
    return [(row.post_id, row.status) for row in folding.rows(POSTS_BY_OWNER, ANNA)]


def holding(folding: Folding) -> list[int]:
    return [row.post_id for medium in (71, 72) for row in folding.rows(MEDIA_POSTS, medium)]


def count(folding: Folding) -> int:
    return sum(row.count for row in folding.rows(POST_COUNTS, ANNA))


def test_a_new_post_is_processing_and_its_author_sees_it() -> None:
    folding = after(CREATED)
    row = folding.row(POSTS.key(POST))
    assert row is not None
    assert (row.status, row.caption, row.mentions, row.hashtags) == (
        "processing",
        "My #cat with @otto",
        ["otto"],
        ["cat"],
    )
    assert (row.location_name, row.location_latitude, row.location_longitude) == ("Harbour", 53.5, 9.9)
    assert row.alt_texts == ["a cat", ""]
    assert row.created_ms == START_MS
    assert grid(folding) == [(POST, "processing")]
    assert holding(folding) == [POST, POST]


def test_a_processing_post_is_neither_listed_as_published_nor_counted() -> None:
    folding = after(CREATED)
    assert folding.rows(PUBLISHED_POSTS, ANNA) == []
    assert count(folding) == 0


def test_a_published_post_has_its_place_its_media_and_is_counted() -> None:
    folding = after(CREATED, PUBLISHED)
    row = folding.row(POSTS.key(POST))
    assert row is not None
    assert row.media is not None
    assert (row.status, row.published_ms, row.delivery) == ("published", 5_000, "push")
    assert msgspec.json.decode(row.media, type=list[e.MediaItem]) == ITEMS
    assert folding.rows(PUBLISHED_POSTS, ANNA) == [PLACE]
    assert (grid(folding), count(folding)) == ([(POST, "published")], 1)


def test_a_post_is_published_once() -> None:
    second = e.PostPublished(post_id=POST, owner_id=ANNA, published_ms=9_000, delivery="pull", media=[])
    folding = after(CREATED, PUBLISHED, second)
    assert folding.rows(PUBLISHED_POSTS, ANNA) == [PLACE]
    assert count(folding) == 1
    assert post(CREATED, PUBLISHED, second) == post(CREATED, PUBLISHED)


def test_a_rejected_post_stays_with_its_author_and_is_never_published() -> None:
    folding = after(CREATED, REJECTED, PUBLISHED)
    assert (grid(folding), folding.rows(PUBLISHED_POSTS, ANNA), count(folding)) == ([(POST, "rejected")], [], 0)
    assert post(CREATED, REJECTED).rejection == "not-an-image"


def test_a_published_post_cannot_be_rejected() -> None:
    assert post(CREATED, PUBLISHED, REJECTED).status == "published"


@pytest.mark.parametrize("before", [[CREATED], [CREATED, PUBLISHED], [CREATED, REJECTED]], ids=len)
def test_a_caption_can_be_changed_until_deletion(before: list[e.Event]) -> None:
    row = post(*before, CAPTIONED)
    assert (row.caption, row.mentions, row.hashtags) == ("#dog", [], ["dog"])
    assert row.edited_ms == START_MS + len(before) * 1_000
    assert row.status == post(*before).status


def test_a_deleted_post_leaves_every_list_and_the_count() -> None:
    folding = after(CREATED, PUBLISHED, DELETED)
    assert (grid(folding), folding.rows(PUBLISHED_POSTS, ANNA), holding(folding)) == ([], [], [])
    assert count(folding) == 0


def test_a_deleted_post_keeps_nothing_that_its_author_wrote() -> None:
    row = post(CREATED, PUBLISHED, CAPTIONED, DELETED)
    assert (row.status, row.media_ids) == ("deleted", [71, 72])
    assert (row.caption, row.mentions, row.hashtags, row.alt_texts) == (None, [], [], [])
    assert (row.location_name, row.location_latitude, row.location_longitude) == (None, None, None)


def test_deleting_an_unpublished_post_counts_nothing() -> None:
    assert count(after(CREATED, DELETED)) == 0
    assert count(after(CREATED, REJECTED, DELETED, DELETED)) == 0


@pytest.mark.parametrize("event", [CREATED, PUBLISHED, REJECTED, CAPTIONED, DELETED], ids=lambda event: event.type)
def test_nothing_changes_a_deleted_post(event: e.Event) -> None:
    assert post(CREATED, PUBLISHED, DELETED, event) == post(CREATED, PUBLISHED, DELETED)
    assert count(after(CREATED, PUBLISHED, DELETED, event)) == 0


@pytest.mark.parametrize("event", [PUBLISHED, REJECTED, CAPTIONED, DELETED], ids=lambda event: event.type)
def test_an_event_about_an_unknown_post_makes_no_row(event: e.Event) -> None:
    folding = after(event)
    assert folding.row(POSTS.key(POST)) is None
    assert (grid(folding), folding.rows(PUBLISHED_POSTS, ANNA), count(folding)) == ([], [], 0)


def test_an_event_in_another_owners_name_changes_nothing() -> None:
    theft = e.PostDeleted(post_id=POST, owner_id=OTTO)
    assert post(CREATED, PUBLISHED, theft) == post(CREATED, PUBLISHED)


def test_published_posts_stand_newest_first_by_publication_then_id() -> None:
    events: list[e.Event] = []
    for post_id, published_ms in ((1, 5_000), (2, 7_000), (3, 5_000)):
        events.append(msgspec.structs.replace(CREATED, post_id=post_id))
        events.append(msgspec.structs.replace(PUBLISHED, post_id=post_id, published_ms=published_ms))
    assert [row.post_id for row in after(*events).rows(PUBLISHED_POSTS, ANNA)] == [2, 3, 1]


def test_the_post_of_an_erased_person_has_no_personal_fields() -> None:
    row = post(msgspec.structs.replace(CREATED, caption=None, mentions=None, alt_texts=None, location=None))
    assert (row.caption, row.mentions, row.alt_texts, row.location_name) == (None, [], [], None)
    assert row.hashtags == ["cat"]


def test_a_post_that_is_taken_down_is_gone_and_says_why() -> None:
    taken_down = msgspec.structs.replace(DELETED, taken_down="hate", operator="op")
    row = post(CREATED, PUBLISHED, taken_down)
    assert (row.status, row.rule, row.is_taken_down, row.caption) == ("deleted", "hate", True, None)
    assert not post(CREATED, PUBLISHED, DELETED, taken_down).is_taken_down, "its author was first"


def test_a_post_that_is_not_allowed_names_the_rule() -> None:
    row = post(CREATED, msgspec.structs.replace(REJECTED, reason="not-allowed", rule="nudity"))
    assert (row.rejection, row.rule, row.is_taken_down) == ("not-allowed", "nudity", False)
    assert post(CREATED, REJECTED, DELETED).rule is None
