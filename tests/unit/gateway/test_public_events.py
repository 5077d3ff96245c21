"""What anybody may know: only what was public when it happened and still is."""

import asyncio
from typing import Any

import pytest

from schemas import events as e
from tests.unit.gateway.stream_log import PARTITION
from tests.unit.gateway.streams.scene import HOUR_MS, Scene


async def told(scene: Scene) -> list[e.Event]:
    """All that anybody may know of all that ever happened."""
    lens = scene.desk._sources.lens
    reader = scene.log.reader({(name, PARTITION): 0 for name in scene.desk._sources.hub._topics})
    found: list[e.Event] = []
    while records := await reader.next():
        found += [one.public.event for one in await lens.look(records) if one.public is not None]
    await reader.close()
    return found


def about(events: list[e.Event], thing: int) -> list[str]:
    """The types of the events that name something."""
    return [event.type for event in events if thing in [getattr(event, name) for name in event.__struct_fields__]]


async def village() -> tuple[Scene, int, int, int]:
    """Ada's post, which Bob likes and comments on; they follow each other."""
    scene = Scene()
    ada, bob = await scene.person(), await scene.person()
    post_id = await scene.post(ada)
    await scene.happen(
        e.FollowCreated(follower_id=ada, followee_id=bob, wanted_status="active"),
        e.FollowCreated(follower_id=bob, followee_id=ada, wanted_status="active"),
        e.PostLiked(actor_id=bob, post_id=post_id),
        e.PostShared(share_id=1, actor_id=bob, post_id=post_id, channel="link"),
    )
    await scene.comment(post_id, bob)
    return scene, ada, bob, post_id


async def test_what_is_public_is_told() -> None:
    scene, ada, bob, post_id = await village()
    events = await told(scene)
    assert about(events, post_id) == ["post.published", "post.liked", "post.shared", "comment.created"]
    assert about(events, ada) == ["account.created", "post.published", "follow.created", "follow.created"]
    assert about(events, bob).count("account.created") == 1


async def test_a_private_accounts_doings_are_nobodys_also_on_others_posts() -> None:
    scene, ada, bob, post_id = await village()
    await scene.happen(e.PrivacyChanged(account_id=bob, private=True))
    events = await told(scene)
    assert about(events, bob) == ["post.shared"], "that it was shared is told, and not by whom"
    assert about(events, post_id) == ["post.published", "post.shared"]
    await scene.happen(e.PrivacyChanged(account_id=ada, private=True))
    assert await told(scene) == []


async def test_what_was_done_before_an_account_last_became_public_stays_untold() -> None:
    scene, ada, bob, post_id = await village()
    await scene.happen(e.PrivacyChanged(account_id=ada, private=True))
    hidden = await scene.post(ada, audience="followers")
    scene.river.now_ms += HOUR_MS
    await scene.happen(e.PrivacyChanged(account_id=ada, private=False))
    scene.river.now_ms += HOUR_MS
    assert about(await told(scene), ada) == []
    later = await scene.post(ada)
    await scene.happen(
        e.PostLiked(actor_id=bob, post_id=later),
        e.PostLiked(actor_id=bob, post_id=hidden),
    )
    events = await told(scene)
    assert about(events, later) == ["post.published", "post.liked"]
    assert about(events, hidden) == []
    assert about(events, post_id) == []


@pytest.mark.parametrize("fate", ["suspended", "deleted"])
async def test_a_suspended_or_deleted_accounts_events_are_nobodys(fate: str) -> None:
    scene, _, bob, post_id = await village()
    if fate == "suspended":
        await scene.happen(e.AccountSuspended(account_id=bob, reason="spam", operator="op"))
    else:
        await scene.happen(e.AccountDeleted(account_id=bob))
    events = await told(scene)
    assert set(about(events, bob)) <= {"post.shared"}
    assert about(events, post_id) == ["post.published", "post.shared"]
    if fate == "suspended":
        await scene.happen(e.AccountReinstated(account_id=bob, operator="op"))
        assert "post.liked" in about(await told(scene), bob)


async def test_of_a_deleted_post_only_its_end_is_told() -> None:
    scene, ada, _, post_id = await village()
    await scene.happen(e.PostDeleted(post_id=post_id, owner_id=ada))
    assert about(await told(scene), post_id) == ["post.deleted"]
    never = await scene.post(ada, audience="followers")
    await scene.happen(e.PostDeleted(post_id=never, owner_id=ada))
    assert about(await told(scene), never) == [], "nobody was told of it"


async def test_what_was_taken_back_is_not_told() -> None:
    scene, ada, bob, post_id = await village()
    comment_id = await scene.comment(post_id, ada)
    await scene.happen(e.CommentLiked(actor_id=bob, comment_id=comment_id, post_id=post_id))
    assert "comment.liked" in about(await told(scene), comment_id)
    await scene.happen(
        e.CommentUnliked(actor_id=bob, comment_id=comment_id, post_id=post_id),
        e.PostUnliked(actor_id=bob, post_id=post_id),
        e.FollowDeleted(follower_id=bob, followee_id=ada),
    )
    events = await told(scene)
    types = [event.type for event in events]
    assert "post.liked" not in types
    assert "comment.liked" not in types
    assert types.count("follow.created") == 1
    assert {"post.unliked", "comment.unliked", "follow.deleted"} <= set(types)
    await scene.happen(e.CommentDeleted(comment_id=comment_id, post_id=post_id, deleted_by=ada))
    assert about(await told(scene), comment_id) == ["comment.unliked", "comment.deleted"]


async def test_only_the_caption_that_stands_is_told() -> None:
    scene, ada, _, _ = await village()
    post_id = await scene.post(ada, ("sky", "sea"))

    def edited(*hashtags: str) -> e.PostCaptionChanged:
        return e.PostCaptionChanged(post_id=post_id, owner_id=ada, caption="c", mentions=[], hashtags=list(hashtags))

    await scene.happen(edited("sky", "secret"))
    await scene.happen(edited("sky", "sun"))
    found: list[Any] = [event for event in await told(scene) if getattr(event, "post_id", 0) == post_id]
    assert [(event.type, event.hashtags) for event in found] == [
        ("post.published", ["sky"]),
        ("post.caption_changed", ["sky", "sun"]),
    ]


async def test_whom_a_reply_answers_is_told_while_that_account_is_public() -> None:
    scene, ada, bob, post_id = await village()
    parent = await scene.comment(post_id, ada)
    reply = await scene.comment(post_id, ada, parent_id=parent, answered_id=bob)

    async def answered() -> list[Any]:
        found = [event for event in await told(scene) if getattr(event, "comment_id", 0) == reply]
        return [event.answered_id for event in found if isinstance(event, e.CommentCreated)]

    assert await answered() == [bob]
    await scene.happen(e.PrivacyChanged(account_id=bob, private=True))
    assert await answered() == [None]
    await scene.happen(e.CommentDeleted(comment_id=parent, post_id=post_id, deleted_by=ada))
    assert await answered() == [], "a reply goes with its comment"


async def test_requests_and_what_comes_of_them_are_nobodys() -> None:
    scene = Scene()
    ada, bob = await scene.person(private=True), await scene.person()
    await scene.happen(
        e.FollowCreated(follower_id=bob, followee_id=ada, wanted_status="pending"),
        e.FollowApproved(follower_id=bob, followee_id=ada),
        e.AccountBlocked(blocker_id=bob, blocked_id=ada),
        e.AccountMuted(muter_id=ada, muted_id=bob),
        e.PostSaved(actor_id=bob, post_id=1, owner_id=ada),
    )
    assert [event.type for event in await told(scene)] == ["account.created"]


async def test_an_account_whose_row_is_on_its_way_is_waited_for() -> None:
    scene, _, _, post_id = await village()
    scene.river.flowing = False
    new = await scene.person()
    await scene.happen(e.PostLiked(actor_id=new, post_id=post_id))
    records = await scene.log.reader({("likes", PARTITION): len(scene.river.records) - 1}).next()
    scene.river.flowing = True

    async def flow_soon() -> None:
        await asyncio.sleep(0.05)
        await scene.river.flow()

    flowing = asyncio.create_task(flow_soon())
    (seen,) = await scene.desk._sources.lens.look(records)
    await flowing
    assert seen.public is not None
    assert seen.public.event == e.PostLiked(actor_id=new, post_id=post_id)
