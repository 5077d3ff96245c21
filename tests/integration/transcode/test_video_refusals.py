"""What is refused, and with which reason; whoever refused it makes the next video."""

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from photolog.errors import SettingsError
from tests.integration.transcode.video_files import FASTEST, make_into
from tests.unit.transcode.clips import claiming_size, clip, made, remuxed, with_alias, with_last_delta
from tests.unit.transcode.pictures import jpeg, quarters
from transcode import scratch
from transcode.encoders import EncoderKind, Encoders
from transcode.encoding import SOURCE
from transcode.errors import Reason, SandboxUnavailable, UnprocessableMedia
from transcode.footage import VideoLimits
from transcode.made_video import MadeVideo
from transcode.scratch import sweep
from transcode.video import VideoMaker

PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
NOISE = ("-f", "lavfi", "-i", "testsrc2=size=96x64:duration=0.2")
APART, AS_IT_IS = "setpts=N*100000/TB", ("-fps_mode", "passthrough")
NVIDIA = Path("/dev/nvidia0")
HUGE = ("8192x8192", "1", 1.0, 0.0)
HOSTILE: list[tuple[str, Callable[[], bytes], Reason]] = [
    ("nothing", lambda: b"", Reason.EMPTY),
    ("text", lambda: b"just some words\n" * 100, Reason.NOT_A_VIDEO),
    ("a playlist", lambda: PLAYLIST, Reason.NOT_A_VIDEO),
    ("a playlist behind the mark of an MP4", lambda: clip()[:32] + PLAYLIST, Reason.DAMAGED_VIDEO),
    ("noise behind the mark of an MP4", lambda: clip()[:32] + bytes(range(256)) * 100, Reason.DAMAGED_VIDEO),
    ("a WebM", lambda: made(*NOISE, "-c:v", "libvpx", suffix=".webm"), Reason.NOT_A_VIDEO),
    ("a photograph", lambda: jpeg(quarters(64, 64)), Reason.MISLABELLED),
    ("a photograph and a video in one", lambda: jpeg(quarters(64, 64)) + clip(), Reason.MISLABELLED),
    ("cut short, its index lost", lambda: clip()[: len(clip()) // 2], Reason.DAMAGED_VIDEO),
    ("cut short, its index there", lambda: cut(remuxed(clip(), "-movflags", "+faststart")), Reason.DAMAGED_VIDEO),
    ("its pictures in another file", lambda: with_alias(clip(suffix=".mov"), "/etc/passwd"), Reason.DAMAGED_VIDEO),
    ("sound only", lambda: made("-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac"), Reason.NOT_A_VIDEO),
    ("pictures of another kind", lambda: clip(options=("-c:v", "mjpeg"), suffix=".mov"), Reason.UNSUPPORTED_CODEC),
    ("sound of another kind", lambda: clip(options=("-c:a", "flac")), Reason.UNSUPPORTED_CODEC),
    ("10,000 frames in two seconds", lambda: clip(fps="5000", sound_seconds=0), Reason.TOO_MANY_FRAMES),
    ("8,192 × 8,192", lambda: clip(*HUGE), Reason.TOO_MANY_PIXELS),
    ("8,192 × 8,192, said to be small", lambda: claiming_size(clip(*HUGE), 64, 64), Reason.TOO_MANY_PIXELS),
    ("100 seconds of one frame each", lambda: clip(fps="1", seconds=100.0, sound_seconds=0), Reason.TOO_LONG),
    ("days between two frames", lambda: clip("96x64", "30", 0.2, 0.0, AS_IT_IS, filters=APART), Reason.TOO_LONG),
    ("a last frame without end", lambda: with_last_delta(clip(), 0x7FFFFFFF), Reason.TOO_LONG),
    ("a last frame that ends before it begins", lambda: with_last_delta(clip(), 0xFFFFFFFF), Reason.DAMAGED_VIDEO),
    ("62 pixels high", lambda: clip("96x62"), Reason.TOO_SMALL),
    ("five times as wide as high", lambda: clip("320x64"), Reason.EXTREME_SHAPE),
]  # fmt: skip


def cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


async def outcome(maker: VideoMaker, data: bytes, seconds_max: float = 60.0) -> MadeVideo | UnprocessableMedia:
    async with maker.folder() as folder:
        await asyncio.to_thread((folder / SOURCE).write_bytes, data)
        try:
            return await maker.make(folder, seconds_max)
        except UnprocessableMedia as refusal:
            return refusal


async def refusal_of(limits: VideoLimits, data: bytes) -> UnprocessableMedia:
    found = await outcome(VideoMaker(limits, FASTEST), data)
    assert isinstance(found, UnprocessableMedia), "it was made"
    return found


async def test_each_hostile_video_has_its_reason_and_the_next_one_is_made() -> None:
    maker = VideoMaker(VideoLimits(), FASTEST)
    for name, data, reason in HOSTILE:
        found = await outcome(maker, data())
        assert isinstance(found, UnprocessableMedia), name
        assert (name, found.reason) == (name, reason), found.diagnosis
        assert len(found.diagnosis) < 3_000
    assert isinstance(await outcome(maker, clip()), MadeVideo)


async def test_what_is_hidden_behind_a_video_is_not_passed_on(tmp_path: Path) -> None:
    await make_into(tmp_path, clip() + b"<html><script>alert(1)</script>")
    assert all(b"<script>" not in (tmp_path / name).read_bytes() for name in os.listdir(tmp_path))


async def test_pictures_that_grow_beyond_the_limit_on_the_way_are_not_decoded() -> None:
    small, large = (
        made(*of_size(size), "-c:v", "libx264", "-preset", "ultrafast", "-f", "h264", suffix=".h264")
        for size in ("96x64", "640x480")
    )
    growing = made("-f", "h264", "-i", "{source}", "-c", "copy", source=small + large)
    found = await refusal_of(VideoLimits(pixels_max=100 * 100), growing)
    assert found.reason is Reason.DAMAGED_VIDEO


def of_size(size: str) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"testsrc2=size={size}:duration=1", "-pix_fmt", "yuv420p")


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"wall_seconds_max": 0.3}, Reason.TOO_SLOW),
        ({"cpu_seconds_max": 1}, Reason.TOO_SLOW),
        ({"memory_bytes_max": 700 * 1024**2}, Reason.TOO_MUCH_MEMORY),
        ({"output_bytes_max": 100_000}, Reason.TOO_MUCH_OUTPUT),
    ],
)
async def test_a_video_that_costs_more_than_it_may_is_stopped(limits: dict[str, int], reason: Reason) -> None:
    found = await refusal_of(msgspec.structs.replace(VideoLimits(), **limits), clip("1280x720", "30", 5.0))
    assert found.reason is reason, found.diagnosis


async def test_what_it_is_for_bounds_how_long_it_may_be() -> None:
    maker = VideoMaker(VideoLimits(), FASTEST)
    found = await outcome(maker, clip(seconds=3.0), seconds_max=2.0)
    assert isinstance(found, UnprocessableMedia)
    assert found.reason is Reason.TOO_LONG


async def test_a_disk_without_room_is_not_the_videos_fault() -> None:
    with pytest.raises(SandboxUnavailable, match="no room"):
        await outcome(VideoMaker(VideoLimits(output_bytes_max=2**60), FASTEST), clip())


async def test_what_fails_on_a_disk_that_became_full_is_not_the_videos_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    maker = VideoMaker(VideoLimits(), FASTEST)
    async with maker.folder() as folder:
        await asyncio.to_thread((folder / SOURCE).write_bytes, clip())
        maker.limits = VideoLimits(wall_seconds_max=0.01)
        monkeypatch.setattr(scratch, "_FREE_BYTES_MIN", 2**60)
        with pytest.raises(SandboxUnavailable, match="the disk is full"):
            await maker.make(folder, 60.0)


async def test_folders_of_dead_workers_are_swept_and_those_in_use_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as place:
        monkeypatch.setattr(tempfile, "tempdir", place)
        left = Path(place) / "photolog-video-left"
        left.mkdir()
        (left / SOURCE).write_bytes(b"half a video")
        maker = VideoMaker(VideoLimits(), FASTEST)
        assert os.listdir(place) == []
        async with maker.folder() as folder:
            sweep()
            assert os.listdir(place) == [folder.name]
        assert os.listdir(place) == []


async def test_both_programs_start_in_their_cage_or_the_worker_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    await VideoMaker(VideoLimits(), FASTEST).check()
    maker = VideoMaker(VideoLimits(), FASTEST)
    monkeypatch.setattr(maker, "_ffmpeg", Path("/bin/false"))
    with pytest.raises(SandboxUnavailable, match="/bin/false does not run"):
        await maker.check()


@pytest.mark.skipif(NVIDIA.exists(), reason="this machine has what the test needs to be missing")
async def test_an_encoder_that_this_machine_lacks_is_refused_by_the_name_of_its_setting() -> None:
    maker = VideoMaker(VideoLimits(), Encoders(EncoderKind.NVENC))
    with pytest.raises(SettingsError, match=r"PHOTOLOG_TRANSCODE__VIDEO_ENCODER: nvenc does not work .*: .+"):
        await maker.check()
