"""Playlists behind signed addresses."""

from edge.playlists import signed_playlist
from schemas import events as e
from tests.unit.edge.world import EdgeWorld

MASTER = (
    '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",URI="audio.m3u8"\n'
    '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="audio"\nh264-720.m3u8\n\n'
)
MEDIA = '#EXTM3U\r\n#EXT-X-MAP:URI="a.mp4",BYTERANGE="9@0"\r\n#EXTINF:4.0,\r\n#EXT-X-BYTERANGE:5@9\r\na.mp4\r\n'


def test_every_file_that_is_named_is_signed_and_nothing_else_is_touched() -> None:
    assert signed_playlist(MASTER, str.upper) == MASTER.replace("audio.m3u8", "AUDIO.M3U8").replace(
        "h264-720.m3u8", "H264-720.M3U8"
    )
    assert signed_playlist(MEDIA, str.upper) == MEDIA.replace("a.mp4", "A.MP4")


async def test_a_private_video_plays_from_one_signed_address_and_ends_with_its_viewers_sight(edge: EdgeWorld) -> None:
    shy = await edge.world.person(private=True)
    files = {"master.m3u8": MASTER.encode(), "h264-720.m3u8": MEDIA.encode(), "a.mp4": bytes(range(200))}
    media_id = await edge.video(shy, files)
    await edge.post(shy, media_id)
    address = edge.signer.sign(f"/media/{media_id}/file/master.m3u8", shy, 60)
    master = await edge.client.get(address)
    assert (master.status_code, master.headers["cache-control"]) == (200, "private, no-store")
    rendition = await edge.client.get(named(master.text, "h264-720.m3u8"))
    assert rendition.headers["content-type"].startswith("application/vnd.apple.mpegurl")
    segment = named(rendition.text, "a.mp4")
    edge.world.now_ms += 600_000
    part = await edge.client.get(segment, headers={"range": "bytes=9-13"})
    assert (part.status_code, part.content) == (206, files["a.mp4"][9:14])
    await edge.world.happen(e.AccountDeleted(account_id=shy))
    assert await edge.status(segment) == 404


async def test_a_public_playlist_is_as_it_is_stored(edge: EdgeWorld) -> None:
    ada = await edge.world.person()
    media_id = await edge.video(ada, {"master.m3u8": MASTER.encode()})
    await edge.post(ada, media_id)
    answer = await edge.client.get(f"/media/{media_id}/file/master.m3u8")
    assert answer.text == MASTER
    assert "immutable" in answer.headers["cache-control"]


def named(playlist: str, name: str) -> str:
    """The address that a playlist has for a file, on a line of its own."""
    (line,) = [line for line in playlist.splitlines() if f"/{name}?" in line and not line.startswith("#")]
    return line
