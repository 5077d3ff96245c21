"""Subscriptions over a log in memory: from now on, from a cursor, and what ends them."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.streams import history, hub
from gateway.streams.desk import SubscribeQuery
from gateway.streams.filters import PUBLIC
from gateway.vault.port import GrantRow
from photolog.errors import Busy, Conflict, Forbidden, Gone, Invalid, Refusal, TooSoon
from schemas import events as e
from tests.unit.gateway.streams.scene import Scene


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


async def busy_scene(**streams: Any) -> tuple[Scene, int, int]:
    """Ada's post, which Bob likes and likes no more, again and again: 40 events and more."""
    scene = Scene(**streams)
    ada, bob = await scene.person(), await scene.person()
    post_id = await scene.post(ada)
    for _ in range(20):
        await scene.happen(e.PostLiked(actor_id=bob, post_id=post_id))
        await scene.happen(e.PostUnliked(actor_id=bob, post_id=post_id))
    await scene.happen(e.PostLiked(actor_id=bob, post_id=post_id))
    return scene, bob, post_id


async def everything(scene: Scene, grant: GrantRow, count: int, **query: Any) -> list[dict[str, Any]]:
    async with scene.opened(grant, **{"cursor": "earliest", **query}) as listener:
        return await listener.events(count)


EVENTS = 2 + 1 + 20 + 1
"""Two accounts, a post, twenty likes that were taken back, and the one that stands."""


async def test_without_a_cursor_it_begins_now() -> None:
    scene, bob, post_id = await busy_scene()
    async with scene.opened(await scene.grant()) as listener:
        await listener.heartbeat()
        comment_id = await scene.comment(post_id, bob)
        (event,) = await listener.events(1)
    assert event["type"] == "comment.created"
    assert event["data"]["comment_id"] != str(comment_id)
    assert event["at"].endswith("Z")
    assert event["position"].startswith("comments/2@")


async def test_from_the_earliest_everything_comes_and_then_what_happens() -> None:
    scene, bob, post_id = await busy_scene()
    async with scene.opened(await scene.grant(), cursor="earliest") as listener:
        first = await listener.events(EVENTS)
        await scene.comment(post_id, bob)
        (last,) = await listener.events(1)
    assert last["type"] == "comment.created"
    positions = [event["position"] for event in first]
    assert len(set(positions)) == EVENTS
    assert set(kinds(first)) == {"account.created", "post.published", "post.liked", "post.unliked"}


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(cuts=st.lists(st.integers(1, 12), max_size=5))
async def test_going_on_from_any_cursor_misses_and_repeats_nothing(cuts: list[int]) -> None:
    scene, bob, post_id = await busy_scene()
    grant = await scene.grant()
    whole = await everything(scene, grant, EVENTS)
    got: list[dict[str, Any]] = []
    cursor = "earliest"
    for cut in cuts:
        async with scene.opened(grant, cursor=cursor) as listener:
            got += await listener.events(min(cut, EVENTS - len(got)))
            cursor = listener.cursor or cursor
    async with scene.opened(grant, cursor=cursor) as listener:
        got += await listener.events(EVENTS - len(got))
        await scene.comment(post_id, bob)
        (last,) = await listener.events(1)
    assert sorted(event["position"] for event in got) == sorted(event["position"] for event in whole)
    assert last["type"] == "comment.created"


async def test_history_joins_what_happens_without_a_gap_or_a_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_NEAR_RECORDS", 3)
    scene, bob, post_id = await busy_scene()
    grant = await scene.grant("comment.created")

    async def write() -> None:
        for _ in range(60):
            await scene.comment(post_id, bob)
            await asyncio.sleep(0)

    async with scene.opened(grant, cursor="earliest") as early, scene.opened(grant) as live:
        writing = asyncio.create_task(write())
        early_events = await early.events(60)
        live_events = await live.events(60)
        await writing
    positions = [event["position"] for event in early_events]
    assert len(positions) == len(set(positions)) == 60
    assert positions == sorted(positions, key=lambda text: int(text.partition("@")[2]))
    assert [event["position"] for event in live_events] == positions


async def test_a_heartbeats_cursor_goes_on_behind_what_the_filter_did_not_take() -> None:
    scene, bob, post_id = await busy_scene(heartbeat_seconds=0.1)
    grant = await scene.grant("comment.created", "post.liked")
    async with scene.opened(grant, types="comment.created") as listener:
        first = await listener.heartbeat()
        await scene.happen(e.CommentDeleted(comment_id=1, post_id=post_id, deleted_by=bob))
        while (cursor := await listener.heartbeat()) == first:
            pass
    async with scene.opened(grant, types="comment.created", cursor=cursor) as listener:
        await scene.comment(post_id, bob)
        assert kinds(await listener.events(1)) == ["comment.created"]


async def test_a_record_is_read_and_serialised_once_for_all_who_listen_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    scene, bob, post_id = await busy_scene()
    grant, other = await scene.grant(), await scene.grant()
    async with scene.opened(grant) as one, scene.opened(grant) as two, scene.opened(other) as three:
        for listener in (one, two, three):
            await listener.heartbeat()
        scene.log.read.clear()
        await scene.comment(post_id, bob)
        frames = [await anext(listener.outgoing) for listener in (one, two, three)]
        assert frames[0] is frames[1]
        assert frames[0] is not frames[2]
        assert set(scene.log.read.values()) == {1}


async def test_pseudonyms_are_a_grants_own() -> None:
    scene, _, _ = await busy_scene()
    one, other = await scene.grant(), await scene.grant()
    mine, again, theirs = [await everything(scene, grant, EVENTS) for grant in (one, one, other)]
    assert [event["data"] for event in mine] == [event["data"] for event in again]
    assert [event["id"] for event in mine] == [event["id"] for event in theirs]
    own, others = [{one["data"].get("actor_id") for one in events} - {None} for events in (mine, theirs)]
    assert not own & others
    assert (len(own), len(others)) == (1, 1)


async def test_a_sample_is_the_same_share_for_everybody() -> None:
    scene, _, _ = await busy_scene()
    grant = await scene.grant(sample_max=0.5)
    async with scene.opened(grant, cursor="earliest") as listener:
        sampled = {event["id"] for event in await listener.events(3)}
    whole = {event["id"] for event in await everything(scene, await scene.grant(), EVENTS)}
    assert sampled < whole


async def test_who_is_too_slow_is_let_go_and_nobody_else() -> None:
    scene, bob, post_id = await busy_scene(waiting_bytes_max=4_096)
    grant = await scene.grant()
    async with scene.opened(grant) as slow, scene.opened(grant) as quick:
        await slow.heartbeat()
        await quick.heartbeat()
        most = 0
        for _ in range(40):
            await scene.comment(post_id, bob)
            assert kinds(await quick.events(1)) == ["comment.created"]
            most = max(most, slow.subscription.waiting_bytes)
        assert await slow.events(1) == []
        assert slow.subscription.closing.reason == "slow-consumer"
        assert 0 < most <= 4_096
        assert slow.subscription.waiting_bytes == 0
        await scene.comment(post_id, bob)
        assert kinds(await quick.events(1)) == ["comment.created"]


async def test_a_grant_that_is_revoked_closes_what_is_open() -> None:
    scene, _, _ = await busy_scene(look_seconds=0.1)
    grant, other = await scene.grant(), await scene.grant()
    async with scene.opened(grant) as mine, scene.opened(other) as theirs:
        await mine.heartbeat()
        await theirs.heartbeat()
        await scene.desk.grants.revoke(grant.grant_id)
        assert await mine.events(1) == []
        assert mine.subscription.closing.reason == "grant-revoked"
        assert theirs.subscription.reason is None


async def test_a_grant_that_expires_closes_what_is_open() -> None:
    scene, _, _ = await busy_scene(look_seconds=0.1)
    async with scene.opened(await scene.grant()) as listener:
        await listener.heartbeat()
        scene.river.now_ms += 366 * 86_400_000
        assert await listener.events(1) == []
        assert listener.subscription.closing.reason == "grant-expired"


async def test_a_topic_that_grows_takes_nothing_from_a_cursor() -> None:
    scene, _, _ = await busy_scene()
    grant = await scene.grant()
    async with scene.opened(grant, cursor="earliest") as listener:
        await listener.events(10)
        cursor = listener.cursor
    scene.log.partitions += 2
    assert len(await everything(scene, grant, EVENTS - 10, cursor=cursor)) == EVENTS - 10


async def refusal(scene: Scene, grant: GrantRow, **query: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await scene.desk.open(grant, SubscribeQuery(**query))
    return refused.value


async def test_a_cursor_that_the_log_does_not_hold_is_an_error_and_never_another_place() -> None:
    scene, _, _ = await busy_scene()
    grant, other = await scene.grant(), await scene.grant()
    async with scene.opened(grant, cursor="earliest") as listener:
        await listener.events(5)
        old = listener.cursor
        await listener.events(EVENTS - 5)
        new = listener.cursor
    assert isinstance(await refusal(scene, grant, cursor=f"{old}x"), Invalid)
    assert isinstance(await refusal(scene, other, cursor=old), Invalid)
    assert isinstance(await refusal(scene, grant, cursor=old, types="post.liked"), Invalid)
    del scene.river.records[-3:]
    assert isinstance(await refusal(scene, grant, cursor=new), Conflict)
    scene.log.start = 20
    gone = await refusal(scene, grant, cursor=old)
    assert isinstance(gone, Gone)
    assert gone.kind == "cursor-expired"
    assert await everything(scene, grant, 1), "the earliest is what there is"


async def test_what_is_too_much_is_refused_and_there_is_room_again_afterwards() -> None:
    scene, _, _ = await busy_scene(
        subscribers_max=3, subscribers_per_grant_max=2, history_readers_max=1, heartbeat_seconds=0.1
    )
    grant, other = await scene.grant(), await scene.grant()
    async with scene.opened(grant, cursor="earliest") as reading, scene.opened(grant):
        assert isinstance(await refusal(scene, grant), TooSoon)
        assert (await refusal(scene, other, cursor="earliest")).kind == "too-many-readers"
        async with scene.opened(other):
            full = await refusal(scene, other)
            assert isinstance(full, Busy)
            assert full.kind == "too-many-subscribers"
        await reading.events(EVENTS)
        await asyncio.wait_for(reading.heartbeat(), 10)  # it has joined the others
        async with scene.opened(other, cursor="earliest"):
            pass
    async with scene.opened(grant), scene.opened(grant):
        pass
    assert scene.log.open_readers == 0


async def test_nothing_reads_when_nobody_listens() -> None:
    scene, _, _ = await busy_scene()
    assert scene.log.open_readers == 0
    async with scene.opened(await scene.grant()):
        assert scene.log.open_readers == 1
    assert scene.log.open_readers == 0


async def test_what_is_not_granted_is_refused() -> None:
    scene, _, _ = await busy_scene()
    grant = await scene.grant("post.liked", sample_max=0.5)
    assert isinstance(await refusal(scene, grant, types="post.published"), Forbidden)
    assert isinstance(await refusal(scene, grant, sample=0.9), Forbidden)
    assert isinstance(await refusal(scene, grant, types="post.saved"), Invalid)
    assert set(PUBLIC) >= {"post.liked", "post.published"}


async def test_a_partition_that_a_topic_grows_by_is_read_from_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "_TOPICS_SECONDS", 0.0)
    scene, bob, post_id = await busy_scene(heartbeat_seconds=0.1)
    grant = await scene.grant("comment.created")
    async with scene.opened(grant) as listener:
        await listener.heartbeat()
        scene.log.partitions += 1
        await listener.heartbeat()
        cursor = await listener.heartbeat()
        await scene.comment(post_id, bob)
        assert kinds(await listener.events(1)) == ["comment.created"]
    offsets = scene.desk._sources.hub.offsets
    assert offsets["comments", scene.log.partitions - 1] == 0
    async with scene.opened(grant, cursor=cursor) as listener:
        assert kinds(await listener.events(1)) == ["comment.created"]


async def test_nothing_is_told_before_the_rows_can_tell_whether_it_is_public() -> None:
    scene, bob, post_id = await busy_scene()
    async with scene.opened(await scene.grant()) as listener:
        await listener.heartbeat()
        scene.river.flowing = False
        await scene.comment(post_id, bob)
        await scene.happen(e.PrivacyChanged(account_id=bob, private=True))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting := asyncio.ensure_future(listener.events(1))), 0.5)
        scene.river.flowing = True
        await scene.river.flow()
        await scene.happen(e.PostShared(share_id=1, actor_id=bob, post_id=post_id, channel="link"))
        assert kinds(await waiting) == ["post.shared"], "the comment's author had gone private"
