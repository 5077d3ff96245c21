"""Posts: what may be posted, who may change it, and which photographs open with it."""

import pytest

from gateway.commands import posts as commands
from gateway.commands import uploads
from gateway.commands.posts import ChangeCaption, CreatePost, TaggedPlace
from gateway.commands.uploads import BeginUpload
from gateway.queries import media as media_queries
from gateway.visibility import see_post
from photolog.errors import Forbidden, Invalid, NotFound
from projections.posts import POSTS
from schemas import events as e
from tests.unit.gateway_social.test_uploads import JPEG, M4A, send
from tests.unit.gateway_social.world import World


async def posted(world: World, owner: int, *, published: bool = True) -> tuple[int, int]:
    """A post of one photograph; its id and the photograph's."""
    media_id = await world.photograph(owner)
    command = await world.command(owner, commands.create, CreatePost(media_ids=[str(media_id)], caption="hi"))
    (event,) = command.events
    assert isinstance(event, e.PostCreated)
    if published:
        await world.publish(event.post_id, owner, media_id)
    return event.post_id, media_id


async def test_a_post_is_stamped_with_what_its_caption_names(world: World) -> None:
    ada = await world.person()
    media_ids = [await world.photograph(ada) for _ in range(2)]
    body = CreatePost(
        media_ids=[str(media_id) for media_id in media_ids],
        caption="Straße #Straße with @ben_2 #straße",
        alt_texts=["A street", None],
        location=TaggedPlace(name=" Lisbon ", latitude=38.7223, longitude=-9.1393),
    )
    (event,) = (await world.command(ada, commands.create, body)).events
    assert isinstance(event, e.PostCreated)
    assert event.media_ids == media_ids
    assert (event.hashtags, event.mentions) == (["strasse"], ["ben_2"])
    assert (event.alt_texts, event.audience) == (["A street", None], "public")
    assert event.location == e.Location(name="Lisbon", latitude=38.7223, longitude=-9.1393)
    assert event.coarse_cell == "eycs"


async def test_a_private_account_posts_to_its_followers(world: World) -> None:
    ada = await world.person(private=True)
    post_id, _ = await posted(world, ada)
    row = await world.rows.get(POSTS.key(post_id))
    assert row is not None
    assert row.audience == "followers"


async def test_only_ones_own_complete_photographs_are_posted_each_once(world: World) -> None:
    ada, ben = await world.person(), await world.person()
    mine, theirs = await world.photograph(ada), await world.photograph(ben)
    failed = world.services.ids.next()
    await world.happen(e.MediaTranscodingFailed(media_id=failed, owner_id=ada, reason="damaged-image", detail=""))
    for media_ids, kind, field in (
        ([str(theirs)], "unknown-media", "media_ids[0]"),
        ([str(mine), "77"], "unknown-media", "media_ids[1]"),
        (["one"], "unknown-media", "media_ids[0]"),
        ([str(mine), str(mine)], "repeated-media", "media_ids"),
        ([str(failed)], "failed-media", "media_ids[0]"),
    ):
        with pytest.raises(Invalid) as refused:
            await world.command(ada, commands.create, CreatePost(media_ids=media_ids))
        assert (refused.value.kind, refused.value.field) == (kind, field)
    assert world.appended == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"caption": "x" * 2_201}, "caption"),
        ({"alt_texts": ["a", "b"]}, "alt_texts"),
        ({"alt_texts": ["x" * 1_001]}, "alt_texts[0]"),
        ({"location": TaggedPlace(name="x" * 101)}, "location.name"),
        ({"location": TaggedPlace(name=" ")}, "location.name"),
        ({"location": TaggedPlace(name="Here", latitude=1.0)}, "location"),
    ],
)
async def test_what_is_too_much_or_half_is_refused(world: World, body: dict[str, object], field: str) -> None:
    ada = await world.person()
    media_id = await world.photograph(ada)
    with pytest.raises(Invalid) as refused:
        await world.command(ada, commands.create, CreatePost(media_ids=[str(media_id)], **body))  # type: ignore[arg-type]
    assert refused.value.field == field
    assert world.appended == []


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize(
    ("purpose", "content_type", "data", "refusal"),
    [("voice", "audio/mp4", M4A, "voice-note"), ("story", "image/jpeg", JPEG, "made-for-a-story")],
)
async def test_what_was_uploaded_for_something_else_is_no_part_of_a_post(
    world: World, answered: bool, purpose: e.Purpose, content_type: str, data: bytes, refusal: str
) -> None:
    ada = await world.person()
    photograph = await world.photograph(ada)
    body = BeginUpload(content_type=content_type, size_bytes=len(data), purpose=purpose)
    begun = (await world.answer(ada, uploads.begin, body)).body
    await world.command(ada, uploads.complete, send(world, begun, data), media_id=begun.media_id)
    if answered:
        kind: e.MediaKind = "voice" if purpose == "voice" else "photo"
        made = e.MediaTranscodingCompleted(
            media_id=int(begun.media_id), owner_id=ada, width=0, height=0, variants=[], kind=kind, purpose=purpose
        )
        await world.happen(made)
    before = len(world.appended)
    with pytest.raises(Invalid) as refused:
        await world.command(ada, commands.create, CreatePost(media_ids=[str(photograph), begun.media_id]))
    assert (refused.value.kind, refused.value.field) == (refusal, "media_ids[1]")
    assert len(world.appended) == before


async def test_a_caption_of_2200_characters_fits(world: World) -> None:
    ada = await world.person()
    media_id = await world.photograph(ada)
    body = CreatePost(media_ids=[str(media_id)], caption="🌊" * 2_200)
    assert (await world.command(ada, commands.create, body)).events


async def test_a_changed_caption_names_anew(world: World) -> None:
    ada = await world.person()
    post_id, _ = await posted(world, ada)
    await world.command(ada, commands.change_caption, ChangeCaption(caption="#new for @ben_2"), post_id=post_id)
    row = await world.rows.get(POSTS.key(post_id))
    assert row is not None
    assert (row.caption, row.hashtags, row.mentions) == ("#new for @ben_2", ["new"], ["ben_2"])


async def test_a_post_is_changed_and_deleted_by_its_author_alone(world: World) -> None:
    ada, eve = await world.person(), await world.person()
    public, _ = await posted(world, ada)
    processing, _ = await posted(world, ada, published=False)
    world.appended.clear()
    for post_id, error in ((public, Forbidden), (processing, NotFound), (99, NotFound)):
        with pytest.raises(error):
            await world.command(eve, commands.change_caption, ChangeCaption(caption="mine"), post_id=post_id)
        with pytest.raises(error):
            await world.command(eve, commands.delete, post_id=post_id)
    assert world.appended == []


async def test_a_deleted_post_is_gone_for_everyone(world: World) -> None:
    ada, ben = await world.person(), await world.person()
    post_id, media_id = await posted(world, ada)
    await world.command(ada, commands.delete, post_id=post_id)
    for viewer in (ada, ben, None):
        with pytest.raises(NotFound):
            await see_post(world.rows, viewer, post_id)
    with pytest.raises(NotFound):
        await world.command(ada, commands.delete, post_id=post_id)
    with pytest.raises(NotFound):
        await world.answer(ben, media_queries.variant, media_id=media_id, variant="w640.jpg")


async def test_a_photograph_opens_with_a_post_that_the_viewer_may_see(world: World) -> None:
    ada, ben, eve = await world.person(private=True), await world.person(), await world.person()
    await world.happen(e.FollowCreated(follower_id=ben, followee_id=ada, wanted_status="active"))
    post_id, media_id = await posted(world, ada, published=False)
    place = {"media_id": media_id, "variant": "w640.jpg"}
    assert (await world.answer(ada, media_queries.variant, **place)).status == 302
    for viewer in (ben, eve, None):
        with pytest.raises(NotFound):
            await world.answer(viewer, media_queries.variant, **place)
    await world.publish(post_id, ada, media_id)
    answer = await world.answer(ben, media_queries.variant, **place)
    assert answer.headers["location"] == f"memory:get/p/{media_id}"
    assert answer.headers["cache-control"] == "private, max-age=30"
    await world.happen(e.PrivacyChanged(account_id=ada, private=False))
    answer = await world.answer(ben, media_queries.variant, **place)
    assert answer.headers["cache-control"] == "private, max-age=150"
    await world.happen(e.PrivacyChanged(account_id=ada, private=True))
    for viewer in (eve, None):
        with pytest.raises(NotFound):
            await world.answer(viewer, media_queries.variant, **place)


async def test_there_is_no_variant_but_those_that_were_made(world: World) -> None:
    ada = await world.person()
    _, media_id = await posted(world, ada)
    with pytest.raises(NotFound):
        await world.answer(ada, media_queries.variant, media_id=media_id, variant="../raw")
