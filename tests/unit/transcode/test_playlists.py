"""The master playlist, read by a parser that is not ours."""

import m3u8
import pytest

from tests.unit.transcode.test_ladder import footage
from transcode.errors import UnprocessableMedia
from transcode.ladder import ladder
from transcode.playlists import Segments, master, segments

MEDIA = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:4
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MAP:URI="h264-360.mp4",BYTERANGE="826@0"
#EXTINF:4.000000,
#EXT-X-BYTERANGE:1000@826
h264-360.mp4
#EXTINF:2.000000,
#EXT-X-BYTERANGE:601@1826
h264-360.mp4
#EXT-X-ENDLIST
"""


def test_segments_weigh_what_their_ranges_say() -> None:
    assert segments(MEDIA) == Segments(seconds=6.0, peak_bits=2404, average_bits=2135)


@pytest.mark.parametrize(
    "spoilt",
    ["", "#EXTM3U\n#EXT-X-ENDLIST\n", MEDIA.replace("#EXT-X-ENDLIST", ""), MEDIA.replace("EXTINF:2", "EXTINF:0")],
)
def test_a_playlist_that_is_not_whole_is_an_error(spoilt: str) -> None:
    with pytest.raises(UnprocessableMedia):
        segments(spoilt)


def test_an_independent_parser_reads_the_master_playlist() -> None:
    plan = ladder(footage(1280, 720))
    weights = {name: Segments(10.0, 1_000 + at, 500 + at) for at, name in enumerate(plan.streams)}
    found = m3u8.loads(master(plan, weights))
    assert found.is_variant
    assert [(one.type, one.group_id, one.uri, one.default, one.autoselect, one.channels) for one in found.media] == [
        ("AUDIO", "audio", "audio.m3u8", "YES", "YES", "2")
    ]
    assert [playlist.uri for playlist in found.playlists] == [f"{name}.m3u8" for name in plan.streams[:-1]]
    first = found.playlists[0].stream_info
    assert (first.bandwidth, first.average_bandwidth) == (1_000 + 1_004, 500 + 504)
    assert (first.resolution, first.frame_rate, first.audio) == ((1280, 720), 30.0, "audio")
    assert first.codecs == "avc1.64001f,mp4a.40.2"


def test_a_silent_video_names_no_sound() -> None:
    plan = ladder(footage(320, 240, audio=None))
    found = m3u8.loads(master(plan, {name: Segments(10.0, 1_000, 500) for name in plan.streams}))
    assert found.media == []
    assert [one.stream_info.codecs for one in found.playlists] == ["avc1.64001e", "av01.0.00M.08"]
    assert all(one.stream_info.audio is None for one in found.playlists)
