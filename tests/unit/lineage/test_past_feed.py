"""Feeds of then against the naive world, and what is read and shown of them."""

import asyncio
from collections.abc import Sequence
from itertools import accumulate

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.decoding import Opening
from lineage.past_feed import feed_at
from lineage.reading import Log
from lineage.tracing import TooMuch
from photolog.errors import NotFound
from projections.fold import REMEMBERED_MS
from schemas import events as e
from tests.replay import actions
from tests.replay.naive import NaiveWorld
from tests.unit.lineage.written_log import WrittenLog
from tests.unit.projections.membership import event_id_at
from tests.unit.streams.river import SERDE, OpenKeys
from tests.unit.streams.scenario import account, follow, post

DAY_MS = 86_400_000
ANNA, BERT, CARL, DORA = actions.PEOPLE
gaps = st.sampled_from([0, 1, 1, 60_000, -60_000, 3_600_000, DAY_MS, 9 * DAY_MS])
events = st.one_of(actions.graph_events, actions.post_events, actions.post_events, actions.account_events)
follows = st.builds(follow, st.sampled_from(actions.PEOPLE), st.sampled_from(actions.PEOPLE))
histories = st.lists(st.tuples(st.one_of(events, follows), gaps), min_size=25, max_size=60)


def at_times(happenings: Sequence[tuple[e.Event, int]]) -> list[tuple[e.Event, int]]:
    """Each with its time; a post is published when its record says."""
    times = accumulate((gap for _, gap in happenings), initial=actions.START_MS)
    return [(_published_at(event, at_ms), at_ms) for (event, _), at_ms in zip(happenings, times, strict=False)]


def _published_at(event: e.Event, at_ms: int) -> e.Event:
    return msgspec.structs.replace(event, published_ms=at_ms) if isinstance(event, e.PostPublished) else event


def opening() -> Opening:
    return Opening(SERDE, OpenKeys())


async def ids_at(log: WrittenLog, viewer_id: int, at_ms: int, limit: int = 100) -> list[int]:
    feed = await feed_at(Log(log, log), opening(), viewer_id, at_ms, limit)
    return [one.post.post_id for one in feed.posts]


@given(
    happenings=histories,
    again=st.lists(st.integers(0, 59), max_size=4),
    grown=st.lists(st.integers(0, 59), max_size=2),
    when=st.floats(0, 1),
    limit=st.integers(1, 4),
    seed=st.integers(0, 1_000),
)
@settings(max_examples=150)
def test_a_feed_of_then_is_the_naive_one(
    happenings: list[tuple[e.Event, int]], again: list[int], grown: list[int], when: float, limit: int, seed: int
) -> None:
    everyone: list[e.Event] = [account(person) for person in actions.PEOPLE]
    stream = at_times([(event, 0) for event in everyone] + happenings)
    log, naive = WrittenLog(seed=seed), NaiveWorld()
    last_ms = max(at_ms for _, at_ms in stream)
    then_ms = actions.START_MS + int((last_ms - actions.START_MS) * when)
    for number, (event, at_ms) in enumerate(stream):
        if number in grown:
            log.grow(log.count + 2)
        log.write(event, at_ms, event_id_at(at_ms, number))
        if at_ms <= then_ms:
            naive.apply(event, at_ms)
    for number in again:
        event, at_ms = stream[number % len(stream)]
        if at_ms >= last_ms - REMEMBERED_MS:  # what comes again later than that is another event
            log.write(event, at_ms, event_id_at(at_ms, number % len(stream)))

    async def holds() -> None:
        for viewer_id in actions.PEOPLE:
            if viewer_id in naive.deleted:
                with pytest.raises(NotFound):
                    await ids_at(log, viewer_id, then_ms, limit)
            else:
                assert await ids_at(log, viewer_id, then_ms, limit) == naive.feed(viewer_id)[:limit]

    asyncio.run(holds())


def _posted(log: WrittenLog, post_id: int, owner_id: int, at_ms: int) -> None:
    log.write(post(post_id, owner_id, 1), at_ms)
    published = e.PostPublished(post_id=post_id, owner_id=owner_id, published_ms=at_ms, delivery="push", media=[])
    log.write(published, at_ms)


def world() -> WrittenLog:
    """Bert follows Anna from the first second on; she posts three times, a day apart."""
    log = WrittenLog()
    for person in (ANNA, BERT):
        log.write(account(person), actions.START_MS)
    log.write(follow(BERT, ANNA), actions.START_MS + 1_000)
    for number in range(3):
        _posted(log, 900 + number, ANNA, actions.START_MS + (number + 1) * DAY_MS)
    return log


async def test_unfollowing_and_deleting_change_the_feed_from_then_on_and_not_before() -> None:
    log, at_ms = world(), actions.START_MS + 3 * DAY_MS
    log.write(e.PostDeleted(post_id=901, owner_id=ANNA), at_ms + 10)
    log.write(e.FollowDeleted(follower_id=BERT, followee_id=ANNA), at_ms + 20)
    assert await ids_at(log, BERT, actions.START_MS + 999) == []
    assert await ids_at(log, BERT, at_ms) == [902, 901, 900]
    assert await ids_at(log, BERT, at_ms + 10) == [902, 900]
    assert await ids_at(log, BERT, at_ms + 20) == []
    assert await ids_at(log, ANNA, at_ms + 20) == [902, 900]


async def test_what_is_personal_is_absent_once_its_owners_key_is_gone() -> None:
    log, keys = world(), OpenKeys()
    at_ms = actions.START_MS + 3 * DAY_MS
    (shown, *_) = (await feed_at(Log(log, log), Opening(SERDE, keys), BERT, at_ms, 1)).posts
    assert (shown.post.caption, shown.author.username) == ("hello", f"u{ANNA}")
    keys.erased.add(ANNA)
    (shown, *_) = (await feed_at(Log(log, log), Opening(SERDE, keys), BERT, at_ms, 1)).posts
    assert (shown.post.post_id, shown.post.caption, shown.author.username) == (902, None, None)


async def test_the_newest_posts_are_found_without_reading_all_of_them() -> None:
    log = world()
    for number in range(400):
        _posted(log, 2_000 + number, ANNA, actions.START_MS + (number + 4) * DAY_MS)
    at_ms, log.given = actions.START_MS + 500 * DAY_MS, 0
    assert await ids_at(log, BERT, at_ms, 3) == [2_399, 2_398, 2_397]
    assert log.given < 500


async def test_a_feed_of_more_than_may_be_held_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage.past_feed.RECORDS_MAX", 3)
    with pytest.raises(TooMuch, match="ask for fewer posts"):
        await ids_at(world(), BERT, actions.START_MS + 3 * DAY_MS)


async def test_before_an_account_was_made_there_is_no_feed() -> None:
    with pytest.raises(NotFound, match="at that time"):
        await ids_at(world(), BERT, actions.START_MS - 1)
