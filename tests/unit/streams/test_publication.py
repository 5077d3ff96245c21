"""A post appears once its photographs are ready, whichever of the two topics speaks last."""

from typing import Literal

import msgspec
import pytest

from projections.media import MediaRow, Moderation
from projections.posts import POSTS, PostRow
from schemas import events as e
from schemas.topics import POSTS as POSTS_TOPIC
from streams.publication import Reach, ReachRule, publication
from tests.unit.streams.river import NOW_MS, SERDE, River, status_of
from tests.unit.streams.scenario import ANNA, BERT, CARL, DORA, account, failed, follow, post, ready


def waiting_post(*media_ids: int, status: str = "processing") -> PostRow:
    return PostRow(
        post_id=101,
        owner_id=ANNA,
        status=status,  # type: ignore[arg-type]
        caption=None,
        mentions=[],
        hashtags=[],
        alt_texts=[],
        location_name=None,
        location_latitude=None,
        location_longitude=None,
        audience="public",
        media_ids=list(media_ids),
        media=None,
        delivery=None,
        created_ms=NOW_MS,
        published_ms=None,
        edited_ms=None,
        rejection=None,
    )


def medium(media_id: int, status: str = "ready") -> MediaRow:
    return MediaRow(
        media_id=media_id,
        owner_id=ANNA,
        status=status,  # type: ignore[arg-type]
        width=640,
        height=400,
        variants=b'[{"name":"w320.jpeg","content_type":"image/jpeg","width":1,"height":1,"size_bytes":1,"object_key":"k"}]',
        blurhash="LKO2",
        reason=None if status == "ready" else "damaged-image",
        detail=None,
    )


def verdict(found: e.Verdict) -> e.MediaJudged:
    return e.MediaJudged(media_id=501, owner_id=ANNA, verdict=found, reason="", classifier="c")


def decision(found: Literal["allowed", "refused"]) -> e.MediaReviewed:
    return e.MediaReviewed(media_id=501, owner_id=ANNA, decision=found, operator="op")


def test_a_post_with_an_outstanding_photograph_waits() -> None:
    assert publication(waiting_post(1, 2), {1: medium(1)}, Reach(), NOW_MS) is None


def test_a_failed_photograph_rejects_the_post_before_the_others_are_ready() -> None:
    decided = publication(waiting_post(1, 2), {2: medium(2, "failed")}, Reach(), NOW_MS)
    assert decided == e.PostRejected(post_id=101, owner_id=ANNA, media_id=2, reason="damaged-image")


def test_a_voice_note_that_the_log_has_in_a_post_rejects_it() -> None:
    spoken = msgspec.structs.replace(medium(2), kind="voice")
    decided = publication(waiting_post(1, 2), {1: medium(1), 2: spoken}, Reach(), NOW_MS)
    assert decided == e.PostRejected(post_id=101, owner_id=ANNA, media_id=2, reason="voice-note")


def test_what_was_made_for_a_story_and_the_log_has_in_a_post_rejects_it() -> None:
    of_story = msgspec.structs.replace(medium(2), purpose="story")
    decided = publication(waiting_post(1, 2), {1: medium(1), 2: of_story}, Reach(), NOW_MS)
    assert decided == e.PostRejected(post_id=101, owner_id=ANNA, media_id=2, reason="made-for-a-story")


@pytest.mark.parametrize("moderation", ["pending", "review"])
def test_a_post_waits_for_the_verdict_about_each_photograph(moderation: Moderation) -> None:
    waiting = msgspec.structs.replace(medium(2), moderation=moderation)
    assert publication(waiting_post(1, 2), {1: medium(1), 2: waiting}, Reach(), NOW_MS) is None


@pytest.mark.parametrize("moderation", ["refused", "taken_down"])
def test_a_photograph_that_is_not_allowed_rejects_the_post_and_names_the_rule(moderation: Moderation) -> None:
    banned = msgspec.structs.replace(medium(2), moderation=moderation, rule="hate")
    decided = publication(waiting_post(1, 2), {2: banned}, Reach(), NOW_MS)
    assert decided == e.PostRejected(post_id=101, owner_id=ANNA, media_id=2, reason="not-allowed", rule="hate")


def test_a_published_post_names_its_photographs_in_the_order_of_the_post() -> None:
    decided = publication(waiting_post(2, 1), {1: medium(1), 2: medium(2)}, Reach("pull", 4, priority=True), NOW_MS)
    assert isinstance(decided, e.PostPublished)
    assert [item.media_id for item in decided.media] == [2, 1]
    assert decided.media[0].variants == ["w320.jpeg"]
    assert decided.media[0].blurhash == "LKO2"
    assert (decided.delivery, decided.published_ms) == ("pull", NOW_MS)
    assert (decided.fanout_chunks, decided.fanout_priority) == (4, True)


@pytest.mark.parametrize("status", ["published", "rejected", "deleted"])
def test_nothing_is_decided_about_a_post_that_is_not_waiting(status: str) -> None:
    assert publication(waiting_post(1, status=status), {1: medium(1)}, Reach(), NOW_MS) is None


@pytest.mark.parametrize(
    ("before", "followers", "delivery"),
    [
        (None, 99, "push"),
        (None, 100, "pull"),
        ("push", 99, "push"),
        ("push", 100, "pull"),
        ("pull", 100, "pull"),
        ("pull", 90, "pull"),
        ("pull", 89, "push"),
    ],
)
def test_an_author_is_pulled_from_the_threshold_on_and_pushed_again_some_way_below(
    before: Literal["push", "pull"] | None, followers: int, delivery: str
) -> None:
    rule = ReachRule(celebrity_followers=100, return_percent=90)
    assert rule.reach(followers, before, verified=False).delivery == delivery


def test_an_author_without_followers_is_pushed_however_low_the_threshold() -> None:
    assert ReachRule(celebrity_followers=1, return_percent=1).reach(0, "pull", verified=False).delivery == "push"


def test_a_verified_author_goes_ahead() -> None:
    rule = ReachRule(celebrity_followers=100)
    assert [rule.reach(5, None, verified).priority for verified in (False, True)] == [False, True]


async def test_the_photograph_that_becomes_ready_last_publishes_the_post() -> None:
    river = River()
    river.append(post(101, ANNA, 501, 502), ready(501, ANNA))
    await river.pump()
    before = await status_of(river, 101)
    river.append(ready(502, ANNA))
    await river.pump()
    assert (before, await status_of(river, 101)) == ("processing", "published")


async def test_a_post_made_of_ready_photographs_is_published_at_once() -> None:
    river = River()
    river.append(ready(501, ANNA))
    await river.pump()
    river.append(post(101, ANNA, 501))
    await river.pump()
    row = await river.rows.get(POSTS.key(101))
    assert (row.status, row.published_ms) == ("published", NOW_MS)


async def test_a_photograph_that_cannot_be_decoded_rejects_the_post_with_its_reason() -> None:
    river = River()
    river.append(post(101, ANNA, 501), failed(501, ANNA))
    await river.pump()
    row = await river.rows.get(POSTS.key(101))
    assert (row.status, row.rejection) == ("rejected", "damaged-image")


@pytest.mark.parametrize(
    ("events", "status", "rejection"),
    [
        ([verdict("allowed")], "published", None),
        ([verdict("refused")], "rejected", "not-allowed"),
        ([verdict("review")], "processing", None),
        ([verdict("review"), decision("allowed")], "published", None),
        ([verdict("review"), decision("refused")], "rejected", "not-allowed"),
        ([e.MediaTakenDown(media_id=501, owner_id=ANNA, rule="hate", operator="op")], "rejected", "not-allowed"),
    ],
)
async def test_a_verdict_or_a_decision_publishes_the_post_or_rejects_it(
    events: list[e.Event], status: str, rejection: str | None
) -> None:
    river = River()
    river.append(post(101, ANNA, 501), msgspec.structs.replace(ready(501, ANNA), moderation="pending"))
    await river.pump()
    before = await status_of(river, 101)
    for event in events:
        river.append(event)
        await river.pump()
    row = await river.rows.get(POSTS.key(101))
    assert (before, row.status, row.rejection) == ("processing", status, rejection)


async def test_a_post_that_was_deleted_while_it_waited_is_never_published() -> None:
    river = River()
    river.append(post(101, ANNA, 501))
    await river.pump()
    river.append(e.PostDeleted(post_id=101, owner_id=ANNA), ready(501, ANNA))
    await river.pump()
    assert await status_of(river, 101) == "deleted"


async def test_the_decision_carries_the_correlation_and_always_the_same_id() -> None:
    ids, correlations = set(), set()
    for _ in range(2):
        river = River()
        river.append(post(101, ANNA, 501), correlation="from-the-request")
        river.append(ready(501, ANNA), correlation="from-the-request")
        await river.pump()
        for record in river.log.of(POSTS_TOPIC.name):
            if isinstance(SERDE.open_record(SERDE.parse(record.value), lambda _: None), e.PostPublished):
                ids.add(record.header("ce_id"))
                correlations.add(record.header("correlation_id"))
    assert len(ids) == 1
    assert correlations == {b"from-the-request"}


async def test_the_number_of_followers_at_publication_decides_between_push_and_pull() -> None:
    river = River(celebrity_followers=2)
    river.append(follow(BERT, ANNA), follow(CARL, ANNA), follow(ANNA, BERT))
    await river.pump()
    river.append(ready(501, ANNA), post(101, ANNA, 501), ready(502, BERT), post(102, BERT, 502))
    await river.pump()
    of_anna, of_bert = await river.rows.get(POSTS.key(101)), await river.rows.get(POSTS.key(102))
    assert (of_anna.delivery, of_bert.delivery) == ("pull", "push")


async def test_an_author_around_the_threshold_is_pulled_until_well_below() -> None:
    """Crossing it upwards, hovering below it, and falling far."""
    river = River(celebrity_followers=4, return_percent=75)
    decided = []
    for number, followers in enumerate([(1, 2, 3), (4,), (), (), ()]):
        river.append(*(follow(1_000 + follower, ANNA) for follower in followers))
        if number in (2, 3, 4):
            river.append(e.FollowDeleted(follower_id=1_000 + number - 1, followee_id=ANNA))
        await river.pump()
        river.append(ready(501 + number, ANNA), post(101 + number, ANNA, 501 + number))
        await river.pump()
        decided.append((await river.rows.get(POSTS.key(101 + number))).delivery)
    assert decided == ["push", "pull", "pull", "push", "push"]


async def test_the_size_of_the_fan_out_and_its_lane_are_kept_with_the_post() -> None:
    river = River(chunk_followers=1)
    river.append(account(ANNA), e.AccountVerified(account_id=ANNA, operator="op"))
    river.append(follow(BERT, ANNA), follow(CARL, ANNA), follow(DORA, ANNA))
    await river.pump()
    river.append(ready(501, ANNA), post(101, ANNA, 501))
    await river.pump()
    row = await river.rows.get(POSTS.key(101))
    assert (row.fanout_chunks, row.fanout_priority) == (4, True)
