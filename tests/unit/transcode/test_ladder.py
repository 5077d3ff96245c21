"""Which renditions a video has: never above it, always even, for any shape."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.footage import Footage
from transcode.ladder import Ladder, VideoCodec, ladder


def footage(width: int, height: int, fps: float = 30.0, seconds: float = 10.0, audio: str | None = "aac") -> Footage:
    return Footage(width, height, width * height, max(1, round(fps * seconds)), seconds, seconds, "h264", audio)


def names(plan: Ladder) -> list[str]:
    return [rendition.name for rendition in plan.renditions]


@pytest.mark.parametrize(
    ("size", "sizes"),
    [
        ((1920, 1080), [(1920, 1080), (1280, 720), (640, 360)]),
        ((1080, 1920), [(1080, 1920), (720, 1280), (360, 640)]),
        ((3840, 2160), [(1920, 1080), (1280, 720), (640, 360)]),
        ((1080, 1080), [(1080, 1080), (720, 720), (360, 360)]),
        ((640, 480), [(480, 360)]),
        ((1279, 719), [(640, 360)]),
        ((320, 240), [(320, 240)]),
        ((239, 321), [(238, 318)]),
    ],
)
def test_rungs_are_named_by_the_shorter_side_and_end_at_the_source(
    size: tuple[int, int], sizes: list[tuple[int, int]]
) -> None:
    plan = ladder(footage(*size))
    assert list(plan.sizes) == sizes
    assert len(plan.renditions) == len(VideoCodec) * len(sizes)


def test_each_rung_is_there_in_both_codecs_the_one_that_everything_plays_first() -> None:
    plan = ladder(footage(1280, 720))
    assert names(plan) == ["h264-720", "h264-360", "av1-720", "av1-360"]
    assert plan.streams == (*names(plan), "audio")
    assert ladder(footage(1280, 720, audio=None)).streams == tuple(names(plan))


@given(st.integers(64, 4096), st.integers(64, 4096), st.floats(0.5, 240), st.floats(0.05, 90))
def test_whatever_comes_renditions_are_even_no_larger_than_the_source_and_alike_in_shape(
    width: int, height: int, fps: float, seconds: float
) -> None:
    plan = ladder(footage(width, height, fps, seconds))
    assert len({rendition.name for rendition in plan.renditions}) == len(plan.renditions)
    for rendition in plan.renditions:
        assert rendition.width % 2 == rendition.height % 2 == 0
        assert rendition.width <= width
        assert rendition.height <= height
        assert abs(rendition.width * height - rendition.height * width) <= 2 * max(width, height)
    assert plan.frames >= 1
    assert plan.fps <= 30
    assert abs(plan.seconds - footage(width, height, fps, seconds).seconds) <= 0.5 / plan.fps + 1e-6 or plan.frames == 1


@pytest.mark.parametrize(
    ("found", "rate"),
    [
        (30.0, Fraction(30)),
        (29.97, Fraction(30_000, 1001)),
        (29.9, Fraction(30_000, 1001)),
        (25.1, Fraction(25)),
        (23.976, Fraction(24_000, 1001)),
        (60.0, Fraction(30)),
        (240.0, Fraction(30)),
        (17.3, Fraction(24_000, 1001)),
        (1.0, Fraction(10)),
    ],
)
def test_the_rate_is_one_that_players_know_and_at_most_30(found: float, rate: Fraction) -> None:
    plan = ladder(Footage(640, 360, 1, round(found * 100), 100.0, 100.0, "h264"))
    assert plan.fps == rate


def test_key_frames_are_two_seconds_apart_so_that_segments_of_four_begin_with_one() -> None:
    assert [ladder(footage(640, 360, fps)).keyframe_frames for fps in (30.0, 29.97, 25.0, 23.976)] == [60, 60, 50, 48]


@pytest.mark.parametrize(
    ("size", "fps", "strings"),
    [
        ((1920, 1080), 30.0, ("avc1.640028", "av01.0.08M.08")),
        ((1280, 720), 30.0, ("avc1.64001f", "av01.0.05M.08")),
        ((640, 360), 30.0, ("avc1.64001e", "av01.0.01M.08")),
        ((3000, 1080), 30.0, ("avc1.640033", "av01.0.12M.08")),
    ],
)
def test_codecs_are_named_with_the_level_that_a_player_needs(
    size: tuple[int, int], fps: float, strings: tuple[str, str]
) -> None:
    plan = ladder(footage(*size, fps))
    tops = [next(one for one in plan.renditions if one.codec is codec) for codec in VideoCodec]
    assert tuple(top.codec_string for top in tops) == strings


def test_a_larger_rung_may_take_more_bits_and_av1_fewer_than_h264() -> None:
    rungs = ladder(footage(1920, 1080)).renditions
    assert [rung.kbps_max for rung in rungs] == [5_000, 2_800, 900, 3_000, 1_700, 550]
