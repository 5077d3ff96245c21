"""The edge on real engines, alone and behind Varnish."""

import asyncio
import io
from functools import partial
from urllib.parse import urlsplit

import pytest
from PIL import Image

from gateway.edge_addresses import address_signer
from photolog.media.addresses import Fit, Picture, PictureFormat
from photolog.settings import Settings
from tests.integration.social.conftest import Edge, Joining
from tests.integration.social.people import Person, published
from tests.integration.workers import eventually

AVIF, WEBP, JPEG = b"ftypavif", b"WEBP", b"\xff\xd8\xff"
BROWSER = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


async def shown(person: Person) -> tuple[str, str]:
    """A post of one photograph; its id and the photograph's."""
    post_id = await published(person)
    (photograph,) = (await person.client.get_post(post_id)).photographs
    return post_id, photograph.id


async def is_gone(edge: Edge, address: str) -> bool:
    return await edge.status(address) == 404


async def test_a_thousand_who_miss_at_once_cost_one_fetch(join: Joining, edge: Edge) -> None:
    _, media_id = await shown(await join("ada"))
    address = f"/media/{media_id}/320x320/cover.auto"
    before = edge.answered()
    answers = await asyncio.gather(*(edge.cached.get(address, headers={"accept": BROWSER}) for _ in range(1_000)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert edge.answered() - before == 1
    image = Image.open(io.BytesIO(answers[0].content))
    assert image.size == (320, 320)


async def test_who_deletes_a_post_or_goes_private_is_out_of_the_cache_at_once(join: Joining, edge: Edge) -> None:
    ada, ben = await join("ada"), await join("ben")
    post_id, gone = await shown(ada)
    _, hidden = await shown(ben)
    addresses = [f"/media/{media_id}/320x320/contain.webp" for media_id in (gone, hidden)]
    for address in addresses:
        assert await edge.status(address) == 200
        assert (await edge.cached.get(address)).headers["x-cache"] == "hit"
    await ada.client.delete_post(post_id)
    await ben.client.set_private(True)
    for address in addresses:
        # What a cache still has goes within seconds; the edge itself knows at once.
        assert (await edge.alone.get(address)).status_code == 404
        await eventually(partial(is_gone, edge, address), seconds=10)


async def test_a_private_picture_is_had_by_its_signed_address_and_kept_by_nobody(
    join: Joining, edge: Edge, settings: Settings
) -> None:
    ada, eve = await join("ada", private=True), await join("eve")
    post_id, media_id = await shown(ada)
    name = next(iter((await ada.client.get_post(post_id)).photographs[0].variants))
    location = urlsplit(await ada.client.photograph_address(media_id, name))
    signed = f"{location.path}?{location.query}"
    assert await edge.status(location.path) == 404
    for _ in range(2):
        answer = await edge.cached.get(signed)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-store")
        assert answer.headers["x-cache"] == "miss"
        assert answer.content.startswith(JPEG) or WEBP in answer.content[:16]
    assert await edge.status(signed[:-2] + ("AA" if signed[-2:] != "AA" else "BB")) == 403
    assert await edge.status(signed.replace(name, "w640.jpeg" if name != "w640.jpeg" else "w320.jpeg")) == 403
    signer = address_signer(settings)
    picture = Picture(int(media_id), 123, 77, Fit.COVER, PictureFormat.JPEG).path
    assert await edge.status(signer.sign(picture, int(ada.id), 60)) == 200
    assert await edge.status(signer.sign(picture, int(eve.id), 60)) == 404
    assert await edge.status(signer.sign(picture, int(ada.id), -1)) == 403
    assert await edge.status(picture) == 404


@pytest.mark.parametrize(
    ("accept", "kind", "magic"),
    [(BROWSER, "image/avif", AVIF), ("image/webp,*/*", "image/webp", WEBP), ("*/*", "image/jpeg", JPEG)],
)
async def test_each_reader_gets_the_format_that_it_takes(
    join: Joining, edge: Edge, accept: str, kind: str, magic: bytes
) -> None:
    _, media_id = await shown(await join("ada"))
    for client in (edge.alone, edge.cached):
        answer = await client.get(f"/media/{media_id}/640x360/cover.auto", headers={"accept": accept})
        assert answer.status_code == 200
        assert (answer.headers["content-type"], answer.headers["vary"].lower()) == (kind, "accept")
        assert magic in answer.content[:16]
        assert {"public", "max-age=31536000", "immutable"} <= set(answer.headers["cache-control"].split(", "))
        known = await client.get(answer.url, headers={"accept": accept, "if-none-match": answer.headers["etag"]})
        assert (known.status_code, known.content) == (304, b"")


async def test_a_part_of_a_file_is_had_alone_and_from_the_cache(join: Joining, edge: Edge) -> None:
    _, media_id = await shown(await join("ada"))
    address = f"/media/{media_id}/file/w640.jpeg"
    whole = (await edge.alone.get(address)).content
    for client in (edge.alone, edge.cached):
        part = await client.get(address, headers={"range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, whole[10:20])
        assert part.headers["content-range"] == f"bytes 10-19/{len(whole)}"
        beyond = await client.get(address, headers={"range": f"bytes={len(whole)}-"})
        assert beyond.status_code == 416
        assert (await client.get(address)).content == whole
