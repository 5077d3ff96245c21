"""The keeper on real engines: what is refused goes, what nothing holds is collected, stories are archived when they are
over."""

import asyncio
import io
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest
from PIL import Image

from photolog.engines.object_store import ObjectStore
from photolog.errors import Invalid, NotFound
from photolog.ids import now_ms
from photolog.media.files import archive_prefix
from photolog.media.originals import content_prefix, original_key, raw_key
from projections.media import MEDIA
from schemas import events as e
from tests.integration.social.conftest import Joining
from tests.integration.social.people import Person
from tests.integration.workers import Hand, WorkerProcess, eventually
from tests.unit.streams.scenario import post

SECONDS = 60.0


def picture() -> bytes:
    """A photograph that is like no other."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (8, 6), secrets.token_bytes(8 * 6 * 3)).resize((640, 480)).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def keeper(migrated: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """A keeper in a hurry. It waits out commands of some seventeen seconds: no gateway of these tests takes as long."""
    environment = migrated | {
        "PHOTOLOG_MEDIA__REFUSED_SECONDS": "1",
        "PHOTOLOG_MEDIA__GRACE_SECONDS": "4",
        "PHOTOLOG_KAFKA__APPEND_TIMEOUT_MS": "1000",
        "PHOTOLOG_GATEWAY__POSITION_WAIT_MS": "0",
    }
    worker = WorkerProcess(("keeper-worker",), environment, tmp_path_factory.mktemp("keeper") / "keeper-worker.log")
    try:
        worker.wait_ready()
        yield worker
    finally:
        worker.end()


@dataclass(frozen=True)
class Kept:
    """Somebody's media, in rows and in the bucket."""

    person: Person
    hand: Hand
    objects: ObjectStore

    async def is_now(self, media_id: str, status: str) -> None:
        """Return once its row says so."""

        async def said() -> bool:
            row = await self.hand.resources.rows.get(MEDIA.key(int(media_id)))
            return row is not None and row.status == status

        await eventually(said, SECONDS)

    async def tell(self, media_id: str, seconds: float) -> int:
        """A story that is there for so long from now on, as the gateway and the stories job make it."""
        story_id, owner_id, now = self.hand.ids.next(), int(self.person.id), now_ms()
        await self.hand.append(
            e.StoryCreated(
                story_id=story_id, owner_id=owner_id, media_id=int(media_id), audience="everyone", alt_text=None
            ),
            e.StoryPublished(
                story_id=story_id,
                owner_id=owner_id,
                published_ms=now,
                expires_ms=now + round(seconds * 1_000),
                media=e.MediaItem(media_id=int(media_id), width=640, height=480, variants=["w320.webp"]),
            ),
        )
        return story_id

    async def files(self, media_id: str) -> list[str]:
        """Whatever the bucket has of it, or of the content that was made for it."""
        own = int(media_id)
        prefixes = (raw_key(int(self.person.id), own), original_key(own), content_prefix(own), archive_prefix(own))
        return [key for prefix in prefixes for key in await self.under(prefix)]

    async def under(self, prefix: str) -> list[str]:
        """What lies under a prefix."""
        return [key async for page in self.objects.keys(prefix) for key in page]

    async def are_gone(self, media_id: str) -> None:
        """Return once none is left."""

        async def gone() -> bool:
            return not await self.files(media_id)

        await eventually(gone, SECONDS)


@pytest.fixture
async def kept(join: Joining, hand: Hand, keeper: WorkerProcess) -> Kept:
    assert keeper
    return Kept(await join("ada"), hand, ObjectStore(hand.settings.s3))


async def test_each_file_goes_when_its_time_has_come_and_no_other_does(
    kept: Kept, keeper: WorkerProcess, join: Joining
) -> None:
    """Everything at once, as most of it is waiting. The keeper is killed when all is begun and nothing is decided."""
    ada = kept.person.client
    refused, unposted, raced, *stories = await asyncio.gather(
        ada.upload(picture()[:1_500], "image/jpeg"),
        ada.upload(picture(), "image/jpeg"),
        ada.upload(picture(), "image/jpeg"),
        *(ada.upload(picture(), "image/jpeg", purpose="story") for _ in range(4)),
    )
    untold, over, lasting, taken_back = stories
    for media_id in stories:
        await kept.is_now(media_id, "ready")
    over_id, _, gone_id = [await kept.tell(one, life) for one, life in ((over, 3), (lasting, 900), (taken_back, 900))]
    held, deleted = await ada.upload(picture(), "image/jpeg"), await ada.upload(picture(), "image/jpeg")
    posts = [await ada.post([media_id]) for media_id in (held, deleted)]
    for made in posts:
        await ada.wait_published(made)
    address = await ada.photograph_address(deleted, "w320.webp")
    assert await _status(address) == 200
    await ada.delete_post(posts[1])
    await ada.transport.send("DELETE", f"/v1/stories/{gone_id}")
    for media_id in (unposted, raced, deleted, untold, taken_back):
        await kept.is_now(media_id, "collected")
    keeper.kill()
    # The command of this post had read the row before it was collected.
    post_id = kept.hand.ids.next()
    await kept.hand.append(post(post_id, int(kept.person.id), int(raced)))
    with pytest.raises(Invalid) as told:
        await ada.post([unposted])
    assert told.value.kind == "collected-media"
    with pytest.raises(Invalid) as told:
        await ada.transport.command("POST", "/v1/stories", dict[str, Any], {"media_id": untold})
    assert told.value.kind == "collected-media"
    assert (await ada.upload_state(unposted)).state == "collected"
    gone = (refused, unposted, deleted, untold, taken_back)
    await asyncio.gather(*(kept.are_gone(media_id) for media_id in gone))
    assert await _status(address) == 404
    await kept.is_now(raced, "ready")
    await ada.wait_published(str(post_id))
    assert len(await kept.files(raced)) == len(await kept.files(held)) > 2
    await eventually(partial(_is_archived, kept, over), SECONDS)
    assert await _status(await ada.photograph_address(over, "w320.webp")) == 200
    archive = await ada.transport.query("/v1/me/stories/archive", dict[str, Any])
    assert str(over_id) in [one["id"] for one in archive["items"]]
    ben = (await join("ben")).client
    with pytest.raises(NotFound):
        await ben.photograph_address(over, "w320.webp")
    highlight = {"title": "kept", "story_ids": [str(over_id)]}
    await ada.transport.command("POST", "/v1/highlights", dict[str, Any], highlight)
    assert await _status(await ben.photograph_address(over, "w320.webp")) == 200
    assert not await _is_archived(kept, lasting), "its day is not over"
    assert await _status(await ada.photograph_address(lasting, "w320.webp")) == 200


async def _is_archived(kept: Kept, media_id: str) -> bool:
    made, archived = await kept.under(content_prefix(int(media_id))), await kept.under(archive_prefix(int(media_id)))
    return not made and len(archived) > 1


async def _status(address: str) -> int:
    async with httpx.AsyncClient(timeout=30) as client:
        return (await client.get(address)).status_code
