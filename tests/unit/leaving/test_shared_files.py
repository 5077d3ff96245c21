"""Files that several accounts share: each can take its copy along, and an erasure leaves them to the others."""

from typing import Any

import pytest

from photolog.media.originals import content_prefix, original_key
from schemas import events as e
from tests.unit.leaving.test_export import exported
from tests.unit.leaving.world import ANNA, BERT, World
from transcode.contents.port import Content

SHARED, ALONE, SECOND = "a" * 64, "b" * 64, 7002


def completed(media_id: int, owner_id: int, content_id: int, digest: str) -> e.MediaTranscodingCompleted:
    variant = e.MediaVariant(
        name="w320.jpeg",
        content_type="image/jpeg",
        width=320,
        height=200,
        size_bytes=9,
        object_key=f"{content_prefix(content_id)}w320.jpeg",
    )
    return e.MediaTranscodingCompleted(
        media_id=media_id,
        owner_id=owner_id,
        width=640,
        height=400,
        variants=[variant],
        content_id=content_id,
        digest=digest,
    )


@pytest.fixture
async def shared(world: World) -> World:
    """Anna's 7001 is a content that Bert's 7002 holds as well; her 7003 is held by nobody else."""
    for content_id, digest, others in ((7001, SHARED, (SECOND,)), (7003, ALONE, ())):
        asked = e.MediaTranscodingRequested(
            media_id=content_id, owner_id=ANNA, object_key="k", content_type="image/jpeg", size_bytes=1
        )
        answer = completed(content_id, ANNA, content_id, digest)
        world.river.append(asked, answer)
        for key in (f"raw/{ANNA}/{content_id}", f"{content_prefix(content_id)}w320.jpeg"):
            world.objects.objects[key] = (b"bytes of %d" % content_id, "image/jpeg")
        claim: Any = await world.contents.claim(digest, content_id, lambda content: True)
        content = Content(content_type="image/jpeg", answer=answer)
        assert await world.contents.finish(claim, content, f"raw/{ANNA}/{content_id}")
        for other in others:
            await world.contents.claim(digest, other, lambda content: True)
            world.river.append(completed(other, BERT, content_id, digest))
    await world.river.pump()
    return world


def files(world: World, content_id: int) -> set[str]:
    keys = {original_key(content_id), f"{content_prefix(content_id)}w320.jpeg"}
    return keys & world.objects.objects.keys()


async def test_what_others_hold_stays_and_what_nobody_holds_goes(shared: World) -> None:
    await shared.begin()
    row = await shared.erase()
    assert row.removed["contents"] == 2
    assert len(files(shared, 7001)) == 2
    assert files(shared, 7003) == set()
    assert await shared.contents.holds(SHARED, SECOND)
    assert not await shared.contents.holds(SHARED, 7001)
    assert not any(key.startswith(f"raw/{ANNA}/") for key in shared.objects.objects)
    await shared.contents.release(SHARED, SECOND)
    assert files(shared, 7001) == set()


async def test_an_erasure_of_the_other_leaves_them_to_the_first(shared: World) -> None:
    answer = completed(7004, ANNA, 7001, SHARED)
    await shared.contents.claim(SHARED, 7004, lambda content: True)
    asked = e.MediaTranscodingRequested(
        media_id=7004, owner_id=ANNA, object_key="k", content_type="image/jpeg", size_bytes=1
    )
    shared.river.append(asked, answer)
    await shared.river.pump()
    await shared.begin()
    row = await shared.erase()
    assert row.removed["contents"] == 3
    assert len(files(shared, 7001)) == 2, "Bert holds it still"


async def test_an_export_has_the_shared_file_once_under_the_accounts_own_number(shared: World) -> None:
    archive = await exported(shared)
    names = {name for name in archive.namelist() if name.startswith("media/") and "700" in name}
    assert names == {
        "media/originals/7001",
        "media/processed/7001/w320.jpeg",
        "media/originals/7003",
        "media/processed/7003/w320.jpeg",
    }
    assert archive.read("media/originals/7001") == b"bytes of 7001"
