"""What operators do: decide, take down everywhere, block; and what the author and everybody else then see."""

import dataclasses
from typing import Any

import msgspec
import pytest

from gateway.commands import blocks, moderation, posts, takedowns
from gateway.commands.blocks import Block
from gateway.commands.moderation import Decide
from gateway.commands.posts import CreatePost
from gateway.commands.takedowns import TakeDown, TakenDown
from gateway.endpoint import Call, Command, ListQuery
from gateway.queries import moderation as queries
from gateway.queries.moderation import WaitingMedia
from gateway.shown_media import see_media
from gateway.visibility import look_for_post, see_post
from photolog.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from photolog.media.content_keys import content_key
from photolog.media.thumbprints import blocked_thumbprint_key
from photolog.settings import SecretSettings, Settings
from projections.blocks import BLOCKED_CONTENTS
from projections.media import MEDIA
from projections.posts import POSTS
from projections.stories import STORIES
from schemas import events as e
from tests.unit.gateway_social.world import World
from tests.unit.streams.scenario import post as post_created

DIGEST = "ab" * 32
MONTH_MS = 30 * 86_400_000


async def operate(world: World, handler: Any, body: Any = None, **path: Any) -> Command:
    """An operator's command, folded."""
    call = Call({name: str(value) for name, value in path.items()}, body, role="operator", operator="op")
    outcome = await handler(world.services, call)
    for event in outcome.events:
        world.appended.append(event)
        await world.happen(event)
    if outcome.acknowledged is not None:
        await outcome.acknowledged()
    assert isinstance(outcome, Command)
    return outcome


async def uploaded(world: World, owner: int, verdict: e.Verdict | None = "allowed", digest: str = DIGEST) -> int:
    """A photograph, its thumbprint beside it, and the verdict about it, where there is one."""
    media_id = world.services.ids.next()
    key = f"processed/{media_id}/w320.jpeg"
    world.objects.objects[f"processed/{media_id}/thumbprint"] = (b"thumbprint", "")
    variant = e.MediaVariant(
        name="w320.jpeg", content_type="image/jpeg", width=320, height=240, size_bytes=9, object_key=key
    )
    await world.happen(
        e.MediaTranscodingCompleted(
            media_id=media_id,
            owner_id=owner,
            width=800,
            height=600,
            variants=[variant],
            digest=digest,
            phash=-5,
            moderation="pending",
        )
    )
    if verdict is not None:
        labels = [e.MediaLabel(name="synthetic", score=0.9)]
        await world.happen(
            e.MediaJudged(
                media_id=media_id, owner_id=owner, verdict=verdict, reason="hm", classifier="c", labels=labels
            )
        )
    return media_id


async def posted(world: World, owner: int, media_id: int) -> int:
    post_id = world.services.ids.next()
    await world.happen(post_created(post_id, owner, media_id))
    await world.publish(post_id, owner, media_id)
    return post_id


async def told(world: World, owner: int, media_id: int, life_ms: int = 86_400_000) -> int:
    """A published story."""
    story_id = world.services.ids.next()
    created = e.StoryCreated(story_id=story_id, owner_id=owner, media_id=media_id, audience="everyone", alt_text=None)
    await world.happen(created)
    item = e.MediaItem(media_id=media_id, width=800, height=600, variants=["w320.jpeg"])
    now = world.now_ms
    await world.happen(
        e.StoryPublished(story_id=story_id, owner_id=owner, published_ms=now, expires_ms=now + life_ms, media=item)
    )
    return story_id


async def waiting(world: World, limit: int = 100) -> list[WaitingMedia]:
    """All that is in the queue, page by page."""
    found: list[WaitingMedia] = []
    cursor = None
    while True:
        query = ListQuery(limit=limit, cursor=cursor)
        page: Any = await queries.queue(world.services, Call({}, query=query, role="operator", operator="op"))
        found += page.body.items
        cursor = page.body.next_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_the_queue_shows_what_waits_the_oldest_first_over_all_months(world: World, limit: int) -> None:
    ada = await world.person()
    expected = []
    for verdict in ("review", "allowed", "review", "refused", None, "review"):
        media_id = await uploaded(world, ada, verdict)
        expected += [str(media_id)] if verdict == "review" else []
        world.now_ms += MONTH_MS
    shown = await waiting(world, limit)
    assert [one.id for one in shown] == expected
    assert (shown[0].owner_id, shown[0].reason, shown[0].labels) == (str(ada), "hm", {"synthetic": 0.9})
    assert shown[0].picture == f"memory:get/processed/{expected[0]}/w320.jpeg"
    await operate(world, moderation.decide, Decide(decision="allowed"), media_id=expected[1])
    assert [one.id for one in await waiting(world, limit)] == [expected[0], expected[2]]


async def test_a_takedown_removes_the_post_and_every_other_of_its_media_and_blocks_them(world: World) -> None:
    ada, ben = await world.person(), await world.person()
    media_id = await uploaded(world, ada)
    first, second = await posted(world, ada, media_id), await posted(world, ada, media_id)
    kept = await posted(world, ada, await uploaded(world, ada, digest="cd" * 32))
    await operate(world, takedowns.take_down_post, TakeDown(rule="hate", note=" look "), post_id=first)
    kinds = [type(event) for event in world.appended]
    assert kinds == [e.ContentBlocked, e.MediaTakenDown, e.PostDeleted, e.PostDeleted]
    for post_id in (first, second):
        with pytest.raises(Gone, match="hate") as gone:
            await look_for_post(world.rows, ada, post_id)
        assert gone.value.kind == "post-taken-down"
        for viewer in (ben, None):
            with pytest.raises(NotFound):
                await look_for_post(world.rows, viewer, post_id)
    for viewer in (ada, ben, None):
        with pytest.raises(NotFound):
            await see_media(world.rows, viewer, media_id)
    assert (await see_post(world.rows, ben, kept)).post.post_id == kept
    row = await world.rows.get(BLOCKED_CONTENTS.key(DIGEST))
    assert row is not None
    assert (row.rule, row.operator, row.note, row.media_id, row.phash) == ("hate", "op", "look", media_id, -5)
    assert world.objects.objects[blocked_thumbprint_key(DIGEST)][0] == b"thumbprint"


async def test_what_its_author_deleted_can_still_be_taken_down(world: World) -> None:
    ada = await world.person()
    media_id = await uploaded(world, ada)
    post_id = await posted(world, ada, media_id)
    await world.happen(e.PostDeleted(post_id=post_id, owner_id=ada))
    await operate(world, takedowns.take_down_post, TakeDown(rule="hate"), post_id=post_id)
    assert [type(event) for event in world.appended] == [e.ContentBlocked, e.MediaTakenDown]
    with pytest.raises(NotFound):
        await see_media(world.rows, ada, media_id)
    with pytest.raises(NotFound):
        await look_for_post(world.rows, ada, post_id)


@pytest.mark.parametrize("fate", ["refused", "taken down"])
async def test_nobody_sees_or_posts_what_is_not_allowed(world: World, fate: str) -> None:
    ada = await world.person()
    media_id = await uploaded(world, ada, "review")
    assert (await see_media(world.rows, ada, media_id)).media.media_id == media_id
    if fate == "refused":
        await operate(world, moderation.decide, Decide(decision="refused", rule="nudity"), media_id=media_id)
    else:
        await world.happen(e.MediaTakenDown(media_id=media_id, owner_id=ada, rule="nudity", operator="op"))
    with pytest.raises(NotFound):
        await see_media(world.rows, ada, media_id)
    with pytest.raises(Invalid, match="nudity") as refused:
        await world.command(ada, posts.create, CreatePost(media_ids=[str(media_id)]))
    assert (refused.value.kind, refused.value.field) == ("not-allowed", "media_ids[0]")


async def test_what_is_published_is_taken_down_and_not_refused(world: World) -> None:
    ada = await world.person()
    media_id = await uploaded(world, ada)
    await posted(world, ada, media_id)
    with pytest.raises(Conflict) as conflict:
        await operate(world, moderation.decide, Decide(decision="refused", rule="spam"), media_id=media_id)
    assert conflict.value.kind == "published"


@pytest.mark.parametrize("days", [0, 2])
async def test_what_a_story_shows_or_showed_is_taken_down_and_not_refused(world: World, days: int) -> None:
    ada = await world.person()
    media_id = await uploaded(world, ada)
    story_id = await told(world, ada, media_id)
    world.now_ms += days * 86_400_000
    refuse = Decide(decision="refused", rule="spam")
    with pytest.raises(Conflict, match="story") as conflict:
        await operate(world, moderation.decide, refuse, media_id=media_id)
    assert conflict.value.kind == "published"
    await world.happen(e.StoryDeleted(story_id=story_id, owner_id=ada))
    await operate(world, moderation.decide, refuse, media_id=media_id)


async def test_a_takedown_ends_whatever_shows_the_same_be_it_a_post_or_a_story(world: World) -> None:
    """No command makes a post of what is for a story; the log might hold one of before that was so."""
    ada, ben = await world.person(), await world.person()
    ends = {"post_id": takedowns.take_down_post, "story_id": takedowns.take_down_story}
    for number, (name, handler) in enumerate(ends.items()):
        media_id = await uploaded(world, ada, digest=f"{number}" * 64)
        made = {"post_id": await posted(world, ada, media_id), "story_id": await told(world, ada, media_id)}
        second = await told(world, ada, media_id)
        done = (await operate(world, handler, TakeDown(rule="hate"), **{name: made[name]})).answer
        assert isinstance(done, TakenDown)
        assert (done.post_ids, done.media_ids) == ([str(made["post_id"])], [str(media_id)])
        assert set(done.story_ids) == {str(made["story_id"]), str(second)}
        for story_id in (made["story_id"], second):
            row = await world.rows.get(STORIES.key(story_id))
            assert row is not None
            assert row.is_taken_down
        for viewer in (ada, ben):
            with pytest.raises(NotFound):
                await see_media(world.rows, viewer, media_id)


@pytest.mark.parametrize(("days", "again"), [(0, True), (2, False)])
async def test_reinstated_media_is_seen_in_a_story_that_was_not_taken_down_while_its_day_lasts(
    world: World, days: int, again: bool
) -> None:
    """One that was made while its media was taken down may have slipped by."""
    ada, ben = await world.person(), await world.person()
    media_id = await uploaded(world, ada)
    await told(world, ada, media_id)

    async def is_seen(viewer: int) -> bool:
        try:
            await see_media(world.rows, viewer, media_id, lambda: world.now_ms)
        except NotFound:
            return False
        return True

    assert [await is_seen(viewer) for viewer in (ada, ben)] == [True, True]
    await world.happen(e.MediaTakenDown(media_id=media_id, owner_id=ada, rule="hate", operator="op"))
    assert [await is_seen(viewer) for viewer in (ada, ben)] == [False, False]
    world.now_ms += days * 86_400_000
    await operate(world, moderation.reinstate, media_id=media_id)
    assert [await is_seen(viewer) for viewer in (ada, ben)] == [True, again]


async def test_a_refusal_names_its_rule_and_nothing_else_does(world: World) -> None:
    media_id = await uploaded(world, await world.person(), "review")
    for body in (Decide(decision="refused"), Decide(decision="allowed", rule="spam")):
        with pytest.raises(Invalid) as refused:
            await operate(world, moderation.decide, body, media_id=media_id)
        assert refused.value.field == "rule"
    with pytest.raises(NotFound):
        await operate(world, moderation.decide, Decide(decision="allowed"), media_id=1)


async def test_reinstated_media_may_be_posted_and_uploaded_again(world: World) -> None:
    ada = await world.person()
    media_id = await uploaded(world, ada)
    with pytest.raises(Conflict):
        await operate(world, moderation.reinstate, media_id=media_id)
    post_id = await posted(world, ada, media_id)
    await operate(world, takedowns.take_down_post, TakeDown(rule="hate"), post_id=post_id)
    with pytest.raises(Conflict):
        await operate(world, moderation.decide, Decide(decision="allowed"), media_id=media_id)
    await operate(world, moderation.reinstate, media_id=media_id)
    media = await world.rows.get(MEDIA.key(media_id))
    assert media is not None
    assert (media.moderation, media.rule) == ("allowed", None)
    assert await world.rows.get(BLOCKED_CONTENTS.key(DIGEST)) is None
    assert blocked_thumbprint_key(DIGEST) not in world.objects.objects
    await world.command(ada, posts.create, CreatePost(media_ids=[str(media_id)]))
    post = await world.rows.get(POSTS.key(post_id))
    assert post is not None
    assert post.status == "deleted"


async def test_a_content_is_blocked_by_a_record_or_by_fingerprints_and_unblocked(world: World) -> None:
    media_id = await uploaded(world, await world.person())
    await operate(world, blocks.block, Block(rule="spam", media_id=str(media_id)))
    by_hand = "cd" * 32
    await operate(world, blocks.block, Block(rule="hate", digest=by_hand, phash="f" * 15 + "e"))
    first, second = [event for event in world.appended if isinstance(event, e.ContentBlocked)]
    assert (first.digest, first.phash, first.media_id, first.kind) == (DIGEST, -5, media_id, "photo")
    assert (second.digest, second.phash, second.media_id) == (by_hand, -2, 0)
    await operate(world, blocks.unblock, digest=DIGEST)
    assert await world.rows.get(BLOCKED_CONTENTS.key(DIGEST)) is None
    assert blocked_thumbprint_key(DIGEST) not in world.objects.objects
    with pytest.raises(NotFound):
        await operate(world, blocks.unblock, digest=DIGEST)


async def test_a_list_of_plain_digests_blocks_what_is_kept_under_keyed_ones(world: World) -> None:
    key = "aGFzaCBrZXkgb2YgdGhlIHRlc3RzOiAzMiBieXRlcy4="
    secrets = SecretSettings.model_validate({"access_token_key": key, "master_key": key, "hash_key": key})
    settings = Settings.model_construct(secrets=secrets)
    world.services = dataclasses.replace(world.services, settings=settings)
    await operate(world, blocks.block, Block(rule="violence", sha256=DIGEST))
    (event,) = world.appended
    assert isinstance(event, e.ContentBlocked)
    assert event.digest == content_key(settings).of(DIGEST) != DIGEST


_ONE_TOO_MANY: list[dict[str, str]] = [
    {},
    {"media_id": "7", "digest": DIGEST},
    {"sha256": DIGEST, "digest": DIGEST},
    {"media_id": "7", "phash": "0" * 16},
    {"phash": "0" * 16},
]


@pytest.mark.parametrize("content", _ONE_TOO_MANY)
async def test_a_block_names_one_content(world: World, content: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        await operate(world, blocks.block, Block(rule="spam", **content))
    assert refused.value.kind == "misplaced-content"


async def test_what_has_no_fingerprints_cannot_be_blocked_by_its_record(world: World) -> None:
    media_id = await uploaded(world, await world.person(), digest="")
    with pytest.raises(Conflict) as conflict:
        await operate(world, blocks.block, Block(rule="spam", media_id=str(media_id)))
    assert conflict.value.kind == "no-fingerprints"


async def test_nobody_but_an_operator_sees_the_queue(world: World) -> None:
    with pytest.raises(Forbidden):
        await world.answer(await world.person(), queries.queue, query=ListQuery())


@pytest.mark.parametrize("text", ['{"rule":"spam","digest":"AB"}', '{"rule":"dull","media_id":"7"}'])
def test_a_block_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Block)
