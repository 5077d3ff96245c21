"""What the edge answers, and to whom."""

import asyncio

import httpx
import pytest

from schemas import events as e
from tests.unit.edge.world import SHARED_SECONDS, EdgeWorld, edge_world
from tests.unit.gateway_social.world import World

SIZE = "320x320/cover.jpeg"


def said(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """An answer without what differs between any two."""
    own = answer.headers["x-request-id"]
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, answer.content.replace(own.encode(), b""), headers


async def test_a_public_picture_is_kept_by_all_and_says_what_purges_it(edge: EdgeWorld) -> None:
    ada = await edge.world.person()
    media_id = await edge.photograph(ada)
    posts = [await edge.post(ada, media_id) for _ in range(2)]
    await edge.post(ada, media_id, published=False)
    answer = await edge.client.get(f"/media/{media_id}/{SIZE}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.headers["cache-control"] == f"public, max-age=31536000, s-maxage={SHARED_SECONDS}, immutable"
    assert set(answer.headers["xkey"].split()) == {
        f"media:{media_id}", f"author:{ada}", *(f"post:{post_id}" for post_id in posts)
    }  # fmt: skip
    assert "vary" not in answer.headers


async def test_what_is_negotiated_varies_and_has_an_etag_of_its_own(edge: EdgeWorld) -> None:
    ada = await edge.world.person()
    media_id = await edge.photograph(ada)
    await edge.post(ada, media_id)
    tags = set()
    for accept, kind in (("image/avif", "avif"), ("image/webp", "webp"), ("*/*", "jpeg")):
        answer = await edge.client.get(f"/media/{media_id}/150x150/contain.auto", headers={"accept": accept})
        assert (answer.headers["content-type"], answer.headers["vary"]) == (f"image/{kind}", "Accept")
        tags.add(answer.headers["etag"])
    assert len(tags) == 3


async def test_who_has_it_is_told_so_and_nothing_is_made(edge: EdgeWorld) -> None:
    ada = await edge.world.person()
    media_id = await edge.photograph(ada)
    await edge.post(ada, media_id)
    for address in (f"/media/{media_id}/{SIZE}", f"/media/{media_id}/file/w1080.jpeg"):
        first = await edge.client.get(address)
        reads = edge.bucket.reads
        again = await edge.client.get(address, headers={"if-none-match": f'"x", W/{first.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["cache-control"] == first.headers["cache-control"]
        assert edge.bucket.reads == reads


async def test_two_equal_pictures_do_not_tell_that_they_are_equal(edge: EdgeWorld) -> None:
    tags = set()
    for _ in range(2):
        owner = await edge.world.person()
        media_id = await edge.photograph(owner)
        await edge.post(owner, media_id)
        for address in (f"/media/{media_id}/{SIZE}", f"/media/{media_id}/file/w1080.jpeg"):
            tags.add((await edge.client.get(address)).headers["etag"])
    assert len(tags) == 4


async def test_what_may_not_be_seen_is_answered_as_what_is_not_there(edge: EdgeWorld) -> None:
    ada, shy, bad, gone = [await edge.world.person(private=private) for private in (False, True, False, False)]
    media = {name: await edge.photograph(owner) for name, owner in (("hidden", shy), ("bad", bad), ("gone", gone))}
    for name, owner in (("hidden", shy), ("bad", bad), ("gone", gone)):
        await edge.post(owner, media[name])
    unposted, waiting, deleted = [await edge.photograph(ada) for _ in range(3)]
    await edge.post(ada, waiting, published=False)
    post_id = await edge.post(ada, deleted)
    await edge.world.happen(e.PostDeleted(post_id=post_id, owner_id=ada))
    await edge.world.happen(e.AccountSuspended(account_id=bad, reason="spam", operator="op"))
    await edge.world.happen(e.AccountDeleted(account_id=gone))
    nothing = said(await edge.client.get(f"/media/9223372036854775807/{SIZE}"))
    assert nothing[0] == 404
    assert nothing[2]["cache-control"] == "no-store"
    for media_id in (*media.values(), unposted, waiting, deleted):
        for path in (SIZE, "file/w1080.jpeg", "file/absent.jpeg", "321x320/cover.jpeg"):
            assert said(await edge.client.get(f"/media/{media_id}/{path}")) == nothing


async def test_sight_is_given_and_taken_on_the_next_request(edge: EdgeWorld) -> None:
    ada = await edge.world.person()
    media_id = await edge.photograph(ada)
    address = f"/media/{media_id}/{SIZE}"
    post_id = await edge.post(ada, media_id)
    assert await edge.status(address) == 200
    for private, status in ((True, 404), (False, 200)):
        await edge.world.happen(e.PrivacyChanged(account_id=ada, private=private))
        assert await edge.status(address) == status
    await edge.world.happen(e.PostDeleted(post_id=post_id, owner_id=ada))
    assert await edge.status(address) == 404


async def test_a_signed_address_opens_for_its_viewer_alone_and_is_kept_by_nobody(edge: EdgeWorld) -> None:
    shy, ben, eve = await edge.world.person(private=True), await edge.world.person(), await edge.world.person()
    media_id = await edge.photograph(shy)
    await edge.post(shy, media_id)
    await edge.world.happen(
        e.FollowCreated(follower_id=ben, followee_id=shy, wanted_status="active", privacy_version=0)
    )
    path = f"/media/{media_id}/77x31/cover.webp"
    for viewer, status in ((shy, 200), (ben, 200), (eve, 404), (None, 404)):
        answer = await edge.client.get(edge.signer.sign(path, viewer, 60))
        assert answer.status_code == status
        assert answer.headers["cache-control"] == ("private, no-store" if status == 200 else "no-store")
        assert "xkey" not in answer.headers


async def test_a_signed_address_ends_with_its_time_and_with_what_it_stood_on(edge: EdgeWorld) -> None:
    shy, ben = await edge.world.person(private=True), await edge.world.person()
    media_id = await edge.photograph(shy)
    await edge.post(shy, media_id)
    await edge.world.happen(
        e.FollowCreated(follower_id=ben, followee_id=shy, wanted_status="active", privacy_version=0)
    )
    path = f"/media/{media_id}/file/w1080.jpeg"
    short, long = edge.signer.sign(path, ben, 2), edge.signer.sign(path, ben, 3_600)
    own = edge.signer.sign(path, shy, 3_600)
    assert [await edge.status(address) for address in (short, long, own)] == [200, 200, 200]
    edge.world.now_ms += 2_000
    assert await edge.status(short) == 403
    await edge.world.happen(e.FollowerRemoved(follower_id=ben, followee_id=shy))
    assert [await edge.status(address) for address in (long, own)] == [404, 200]
    await edge.world.happen(e.AccountDeleted(account_id=shy))
    assert await edge.status(own) == 404


@pytest.mark.parametrize("query", ["x=1", "expires=99999999999&signature=" + "A" * 43, "signature="])
async def test_what_is_not_signed_by_us_is_refused_whatever_it_asks_for(edge: EdgeWorld, query: str) -> None:
    ada = await edge.world.person()
    media_id = await edge.photograph(ada)
    await edge.post(ada, media_id)
    answers = [await edge.client.get(f"/media/{one}/{SIZE}?{query}") for one in (media_id, 5)]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert said(answers[0]) == said(answers[1])


async def test_a_part_of_a_file_is_given_as_it_is_asked_for(edge: EdgeWorld) -> None:
    ada = await edge.world.person()
    media_id = await edge.photograph(ada, name="hls/v0/first.jpeg")
    await edge.post(ada, media_id)
    address = f"/media/{media_id}/file/hls/v0/first.jpeg"
    whole = await edge.client.get(address)
    data = edge.bucket.objects[f"processed/{media_id}/hls/v0/first.jpeg"]
    assert (whole.status_code, whole.content, whole.headers["accept-ranges"]) == (200, data, "bytes")
    part = await edge.client.get(address, headers={"range": "bytes=3-", "if-range": whole.headers["etag"]})
    assert (part.status_code, part.content) == (206, data[3:])
    assert part.headers["content-range"] == f"bytes 3-{len(data) - 1}/{len(data)}"
    other = await edge.client.get(address, headers={"range": "bytes=3-", "if-range": '"other"'})
    assert (other.status_code, other.content) == (200, data)
    beyond = await edge.client.get(address, headers={"range": f"bytes={len(data)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(data)}")
    head = await edge.client.head(address)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(data)))


async def test_a_long_file_is_read_in_parts_and_arrives_whole(edge: EdgeWorld) -> None:
    ada = await edge.world.person()
    media_id = await edge.photograph(ada)
    key = f"processed/{media_id}/w1080.jpeg"
    declared = len(edge.bucket.objects[key])
    await edge.post(ada, media_id)
    long = bytes(range(256)) * 3_000
    video = e.MediaVariant(
        name="video.mp4", content_type="video/mp4", width=1, height=1, size_bytes=len(long), object_key="long"
    )
    other = edge.world.services.ids.next()
    edge.bucket.objects["long"] = long
    await edge.world.happen(
        e.MediaTranscodingCompleted(media_id=other, owner_id=ada, width=1, height=1, variants=[video])
    )
    await edge.post(ada, other)
    reads = edge.bucket.reads
    answer = await edge.client.get(f"/media/{other}/file/video.mp4")
    assert (answer.content, answer.headers["content-type"]) == (long, "video/mp4")
    assert edge.bucket.reads - reads == 3
    assert declared < len(long)
    assert await edge.status(f"/media/{other}/{SIZE}") == 404, "there is no picture to make of it"


async def test_a_file_that_is_not_there_breaks_loudly_before_it_is_answered(edge: EdgeWorld) -> None:
    ada = await edge.world.person()
    media_id = await edge.photograph(ada)
    await edge.post(ada, media_id)
    edge.bucket.objects.clear()
    assert await edge.status(f"/media/{media_id}/file/w1080.jpeg") == 500
    assert await edge.status(f"/media/{media_id}/{SIZE}") == 500


async def test_who_asks_at_once_has_it_made_once_and_above_the_bound_is_told_to_come_again() -> None:
    async with edge_world(World(), at_once=1, waiting_max=0) as edge:
        ada = await edge.world.person()
        media_id = await edge.photograph(ada, 640, 640)
        await edge.post(ada, media_id)
        many = [edge.client.get(f"/media/{media_id}/{SIZE}") for _ in range(20)]
        many += [edge.client.get(f"/media/{media_id}/640x640/cover.webp")]
        answers = await asyncio.gather(*many)
        assert [answer.status_code for answer in answers] == [200] * 20 + [503]
        assert int(answers[-1].headers["retry-after"]) > 0
        assert edge.bucket.reads == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PURGE"])
async def test_nothing_is_changed_here(edge: EdgeWorld, method: str) -> None:
    assert (await edge.client.request(method, f"/media/7/{SIZE}")).status_code == 405
