"""What is made of good videos, held by a reader that is not ffmpeg's program: codecs, sizes, times, sound in step."""

import os
from pathlib import Path

import m3u8
import numpy as np
import pytest
from PIL import Image

from tests.integration.transcode.video_files import Track, make_into, opened, seconds, track
from tests.unit.transcode.clips import clip, made, remuxed
from transcode.ladder import AUDIO, MASTER, POSTER, PREVIEW, VideoCodec
from transcode.made_video import MadeVideo

SYNC_SECONDS = 0.02
# The AAC encoder's own delay, which a player cuts: the first packet is not heard.
PRIMING_SECONDS = 1024 / 48_000


def shown(result: MadeVideo, folder: Path) -> dict[str, Track]:
    """Every rendition as it was decoded, by its name."""
    return {name: track(folder / f"{name}.mp4") for name in result.plan.streams}


def assert_right(result: MadeVideo, folder: Path) -> dict[str, Track]:
    """All that holds of every video that is made."""
    tracks = shown(result, folder)
    for rendition in result.plan.renditions:
        found = tracks[rendition.name]
        assert (found.width, found.height) == (rendition.width, rendition.height)
        assert found.codec == {VideoCodec.H264: "h264", VideoCodec.AV1: "libdav1d"}[rendition.codec]
        assert abs(found.end - found.first - result.plan.seconds) < 0.1
        assert found.frames == result.plan.frames
        step = result.plan.keyframe_frames / result.plan.fps
        assert [round((time - found.first) / step, 2) for time in found.keyframes] == list(range(len(found.keyframes)))
        assert declared_codec(found) == rendition.codec_string
    starts = {tracks[rendition.name].first for rendition in result.plan.renditions}
    assert max(starts) - min(starts) < 0.001
    if result.plan.has_audio:
        sound = tracks[AUDIO]
        assert sound.codec == "aac"
        assert abs(sound.first + PRIMING_SECONDS - min(starts)) < SYNC_SECONDS
        assert abs(sound.end - min(starts) - result.plan.seconds) < 0.1
    return tracks


def declared_codec(found: Track) -> str:
    """The codec string that the file's own header asks for."""
    if found.codec == "h264":
        return f"avc1.{found.extradata[1:4].hex()}"
    profile, level, high_tier = found.extradata[1] >> 5, found.extradata[1] & 31, found.extradata[2] >> 7
    return f"av01.{profile}.{level:02}{'H' if high_tier else 'M'}.08"


async def test_a_video_becomes_a_ladder_in_two_codecs_with_sound_poster_and_preview(tmp_path: Path) -> None:
    result = await make_into(tmp_path, clip("1280x720", "30", 5.0, options=("-metadata", "location=+51.5-000.1/")))
    assert_right(result, tmp_path)
    assert [rendition.name for rendition in result.plan.renditions] == ["h264-720", "h264-360", "av1-720", "av1-360"]
    assert result.duration_ms == 5_000
    assert {file.name for file in result.files} == set(os.listdir(tmp_path))
    assert all(file.size_bytes == (tmp_path / file.name).stat().st_size for file in result.files)
    with Image.open(tmp_path / POSTER) as poster:
        assert (poster.format, poster.size) == ("JPEG", (1280, 720))
    with Image.open(tmp_path / PREVIEW) as preview:
        assert (preview.format, preview.size, getattr(preview, "n_frames", 0)) == ("GIF", (320, 180), 3)
    for file in result.files:
        assert b"51.5" not in (tmp_path / file.name).read_bytes()


async def test_the_playlists_agree_with_the_files_and_libav_plays_them(tmp_path: Path) -> None:
    result = await make_into(tmp_path, clip("160x96", "30", 9.0))
    found = m3u8.load(str(tmp_path / MASTER))
    assert [media.uri for media in found.media] == ["audio.m3u8"]
    for playlist in found.playlists:
        parts = m3u8.load(str(tmp_path / playlist.uri))
        assert parts.is_endlist
        assert [round(part.duration, 2) for part in parts.segments] == [4.0, 4.0, 1.0]
        size = (tmp_path / str(parts.segments[0].uri)).stat().st_size
        length, start = (int(number) for number in str(parts.segments[-1].byterange).split("@"))
        assert start + length == size
        # A player that has only so many bits a second never waits.
        heaviest = max(int(str(part.byterange).split("@")[0]) * 8 / part.duration for part in parts.segments)
        assert playlist.stream_info.bandwidth >= heaviest
        with opened(tmp_path / playlist.uri) as container:
            assert sum(1 for _ in container.decode(container.streams.video[0])) == result.plan.frames
    with opened(tmp_path / MASTER) as container:
        assert (len(container.streams.video), len(container.streams.audio)) == (2, 1)


@pytest.mark.parametrize(
    ("name", "data", "size"),
    [
        ("odd sides", lambda: clip("101x75", options=("-pix_fmt", "yuv444p")), (100, 74)),
        ("QuickTime", lambda: clip("96x64", suffix=".mov"), (96, 64)),
        ("turned by a quarter", lambda: remuxed(clip("96x64"), before=("-display_rotation", "90")), (64, 96)),
        ("turned by a half", lambda: remuxed(clip("96x64"), before=("-display_rotation", "180")), (96, 64)),
        ("wide pixels", lambda: clip("96x96", filters="setsar=4/3"), (128, 96)),
        ("HEVC", lambda: clip("96x64", options=("-c:v", "libx265", "-x265-params", "log-level=none")), (96, 64)),
        ("AV1", lambda: clip("96x64", options=("-c:v", "libsvtav1", "-preset", "13")), (96, 64)),
        ("fragmented", lambda: remuxed(clip("96x64"), "-movflags", "frag_keyframe+empty_moov"), (96, 64)),
        ("cut in a phone", lambda: remuxed(clip("96x64", seconds=3.0), "-t", "2", before=("-ss", "0.5")), (96, 64)),
        ("29.97 frames a second", lambda: clip("96x64", "30000/1001"), (96, 64)),
        ("60 frames a second", lambda: clip("96x64", "60"), (96, 64)),
        ("one frame a second", lambda: clip("96x64", "1", 3.0), (96, 64)),
    ],
)
async def test_what_phones_and_cameras_do_is_made_right(
    tmp_path: Path, name: str, data: object, size: tuple[int, int]
) -> None:
    assert callable(data)
    result = await make_into(tmp_path, data())
    assert result.plan.sizes == (size,), name
    assert_right(result, tmp_path)


async def test_a_variable_frame_rate_becomes_an_even_one_in_step_with_the_sound(tmp_path: Path) -> None:
    # Every frame of the second second but each fifth is left out, as phones do in the dark.
    uneven = clip(
        "96x64", "30", 3.0, filters="select='not(between(t,1,2))+not(mod(n,5))'", options=("-fps_mode", "vfr")
    )
    result = await make_into(tmp_path, uneven)
    assert abs(result.plan.seconds - 3.0) < 0.1
    assert_right(result, tmp_path)


@pytest.mark.parametrize("encoder", ["libmp3lame", "alac", "ac3", "libopus"])
async def test_sound_of_every_kind_that_is_taken_is_heard(tmp_path: Path, encoder: str) -> None:
    result = await make_into(tmp_path, clip(seconds=1.0, options=("-c:a", encoder, "-ar", "48000")))
    assert result.plan.has_audio
    assert track(tmp_path / "audio.mp4").frames > 40


@pytest.mark.parametrize(("sound_seconds", "has_audio"), [(0.0, False), (4.0, True), (0.7, True)])
async def test_sound_is_as_long_as_the_pictures_whatever_it_was(
    tmp_path: Path, sound_seconds: float, has_audio: bool
) -> None:
    result = await make_into(tmp_path, clip("96x64", sound_seconds=sound_seconds))
    assert result.plan.has_audio is has_audio
    assert result.duration_ms == 2_000
    assert_right(result, tmp_path)


async def test_a_flash_and_a_beep_at_the_same_time_stay_together(tmp_path: Path) -> None:
    data = made(
        *("-f", "lavfi", "-i", "color=black:size=96x64:rate=30:duration=3,drawbox=t=fill:c=white:enable='gte(t,1.5)'"),
        *("-f", "lavfi", "-i", "sine=frequency=1000:sample_rate=48000:duration=3,volume='gte(t,1.5)':eval=frame"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"),
    )
    result = await make_into(tmp_path, data)
    seen = [flash(tmp_path / f"{rendition.name}.mp4") for rendition in result.plan.renditions]
    heard = beep(tmp_path / "audio.mp4")
    assert all(abs(time - heard) < 0.05 for time in seen), (seen, heard)


async def test_hdr_is_shown_as_the_picture_that_it_was_made_from(tmp_path: Path) -> None:
    hlg = (
        *("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"),
        *("-x265-params", "log-level=none:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc"),
    )
    from_709 = "pin=bt709:tin=bt709:min=bt709"
    grey = f"drawbox=t=fill:c=0x808080,zscale=p=bt2020:t=arib-std-b67:m=bt2020nc:{from_709},format=yuv420p10le"
    result = await make_into(tmp_path, clip("96x64", seconds=1.0, sound_seconds=0, filters=grey, options=hlg))
    assert_right(result, tmp_path)
    with opened(tmp_path / f"{result.plan.renditions[0].name}.mp4") as container:
        frame = next(container.decode(container.streams.video[0]))
    assert (frame.format.name, frame.color_trc, frame.colorspace) == ("yuv420p", 1, 1)
    brightness = float(np.mean(frame.to_ndarray(format="gray")))
    assert 60 < brightness < 200


def flash(path: Path) -> float:
    """When the picture becomes white, counted from the first."""
    with opened(path) as container:
        pictures = container.decode(container.streams.video[0])
        frames = [(seconds(frame), float(np.mean(frame.to_ndarray(format="gray")))) for frame in pictures]
    return next(time for time, brightness in frames if brightness > 128) - frames[0][0]


def beep(path: Path) -> float:
    """When the sound becomes loud, counted from what is heard first."""
    with opened(path) as container:
        sound = container.decode(container.streams.audio[0])
        frames = [(seconds(frame), float(np.abs(frame.to_ndarray()).max())) for frame in sound]
    loudest = max(level for _, level in frames)
    return next(time for time, level in frames if level > loudest / 2) - frames[0][0] - PRIMING_SECONDS
