"""The same photograph from several people: stored once, and served under each one's own address."""

import asyncio
import secrets

import httpx
import pytest
from PIL import Image, ImageDraw

from photolog.engines.object_store import ObjectStore
from photolog.media.originals import content_prefix, original_key
from photolog.settings import Settings
from projections.media import MEDIA, MediaRow, stored_files
from tests.integration.social.conftest import Joining
from tests.integration.social.people import Person
from tests.integration.workers import Hand
from tests.unit.transcode.fingerprints.photographs import photograph, resized, saved
from transcode.contents.cassandra import CassandraContents

PEOPLE = 5


@pytest.fixture
def objects(settings: Settings) -> ObjectStore:
    return ObjectStore(settings.s3)


def marked(name: str) -> Image.Image:
    """A real photograph with a mark that no other test has put on it."""
    picture = photograph(name).copy()
    mark = int.from_bytes(secrets.token_bytes(8), "big")
    for number in range(64):
        x, y = number % 8 * 40, number // 8 * 40
        colour = (250, 250, 250) if mark >> number & 1 else (5, 5, 5)
        ImageDraw.Draw(picture).rectangle((x, y, x + 39, y + 39), fill=colour)
    return picture


async def uploaded(hand: Hand, person: Person, data: bytes) -> MediaRow:
    """A person's photograph, once it is decoded."""
    media_id = await person.client.upload(data, "image/jpeg")
    assert (await person.client.wait_decoded(media_id)).state == "ready"
    row = await hand.resources.rows.get(MEDIA.key(int(media_id)))
    assert row is not None
    return row


async def keys(objects: ObjectStore, *content_ids: int) -> set[str]:
    found = set()
    for content_id in content_ids:
        for prefix in (content_prefix(content_id), original_key(content_id)):
            found |= {key async for page in objects.keys(prefix) for key in page}
    return found


async def test_one_file_from_five_people_at_once_is_stored_once(
    join: Joining, hand: Hand, objects: ObjectStore
) -> None:
    people = await asyncio.gather(*(join(f"sharer{number}") for number in range(PEOPLE)))
    data = saved(marked("coffee.png"))
    rows = await asyncio.gather(*(uploaded(hand, person, data) for person in people))
    media_ids = {row.media_id for row in rows}
    assert len(media_ids) == PEOPLE
    (content_id,) = {row.content_id for row in rows}
    assert content_id in media_ids
    assert len({row.variants for row in rows}) == 1
    files = {file.object_key for file in stored_files(rows[0])}
    assert await keys(objects, *media_ids) - files == {
        original_key(content_id),
        f"{content_prefix(content_id)}thumbprint",
    }
    assert await objects.get(original_key(content_id)) == data
    content = await CassandraContents(hand.session).get(rows[0].digest or "")
    assert content is not None
    assert (content.state, content.holders) == ("ready", PEOPLE)
    # Each is shown under its own number, and no address tells of another.
    async with httpx.AsyncClient() as http:
        shown = set()
        for person, row in zip(people, rows, strict=True):
            address = await person.client.photograph_address(str(row.media_id), "w640.jpeg")
            others = media_ids - {row.media_id}
            assert not any(str(other) in address for other in others)
            shown.add((await http.get(address)).content)
    assert len(shown) == 1


async def test_nearly_the_same_keeps_its_original_and_shows_what_is_there(
    join: Joining, hand: Hand, objects: ObjectStore
) -> None:
    ada, bob = await asyncio.gather(join("ada"), join("bob"))
    picture = marked("rocket.jpg")
    first = await uploaded(hand, ada, saved(picture, quality=92))
    assert first.content_id == first.media_id
    smaller = saved(resized(picture, picture.width * 4 // 5), quality=80)
    for _ in range(40):
        # The index follows the log, a moment behind.
        again = await uploaded(hand, bob, smaller + secrets.token_bytes(4))
        if again.variants == first.variants:
            break
    assert again.variants == first.variants
    assert again.content_id == again.media_id
    assert await keys(objects, again.content_id) == {original_key(again.content_id)}
    # A word on it is another picture.
    captioned = picture.copy()
    ImageDraw.Draw(captioned).text(
        (picture.width // 3, picture.height // 2), "mine", fill=(255, 255, 255), font_size=60
    )
    other = await uploaded(hand, bob, saved(captioned, quality=92))
    assert {file.object_key for file in stored_files(other)} == {
        f"{content_prefix(other.media_id)}{file.name}" for file in stored_files(other)
    }
