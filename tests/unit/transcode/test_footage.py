"""Which videos are taken, by what a look into them found."""

import msgspec
import pytest

from schemas.events import Purpose
from transcode.errors import Reason, UnprocessableMedia
from transcode.footage import Footage, VideoLimits, judge
from transcode.lengths import SECONDS_MAX

GOOD = Footage(1920, 1080, 1920 * 1080, 300, 10.0, 10.0, "h264", "aac")


def reason(seconds_max: float = 60.0, **changes: object) -> Reason | None:
    try:
        judge(msgspec.structs.replace(GOOD, **changes), VideoLimits(), seconds_max)
    except UnprocessableMedia as refusal:
        return refusal.reason
    return None


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"audio_codec": None},
        {"width": 1080, "height": 1920},
        {"seconds": 60.4, "declared_seconds": 60.5},
        {"declared_seconds": 0.0},
        {"declared_seconds": 9.0},
        {"frames": 9_000},
        {"coded_pixels": 4096 * 2304},
        {"width": 64, "height": 64},
        {"video_codec": "hevc", "transfer": 18},
    ],
)
def test_what_phones_record_is_taken(changes: dict[str, object]) -> None:
    assert reason(**changes) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"seconds": 60.6}, Reason.TOO_LONG),
        ({"coded_pixels": 4096 * 2304 + 1}, Reason.TOO_MANY_PIXELS),
        ({"frames": 9_001}, Reason.TOO_MANY_FRAMES),
        ({"width": 62}, Reason.TOO_SMALL),
        ({"width": 3_300}, Reason.EXTREME_SHAPE),
        ({"video_codec": "rawvideo"}, Reason.UNSUPPORTED_CODEC),
        ({"audio_codec": "unknown"}, Reason.UNSUPPORTED_CODEC),
        ({"declared_seconds": 10.6}, Reason.DAMAGED_VIDEO),
        ({"seconds": 0.0}, Reason.DAMAGED_VIDEO),
        ({"frames": 0}, Reason.DAMAGED_VIDEO),
    ],
)
def test_what_is_not_taken_has_its_reason(changes: dict[str, object], expected: Reason) -> None:
    assert reason(**changes) is expected  # type: ignore[arg-type]


@pytest.mark.parametrize(("purpose", "seconds"), [("post", 60.0), ("reel", 90.0), ("story", 15.0)])
def test_a_video_lasts_as_long_as_its_purpose_lets_it_and_half_a_second_that_recorders_add(
    purpose: Purpose, seconds: float
) -> None:
    most = SECONDS_MAX[purpose]
    assert most == seconds
    for taken in (most, most + 0.5):
        assert reason(most, seconds=taken, declared_seconds=taken) is None
    assert reason(most, seconds=most + 0.51, declared_seconds=most) is Reason.TOO_LONG


@pytest.mark.parametrize(
    ("limits", "taken", "refused", "expected"),
    [
        ({"pixels_max": 10_000}, {"coded_pixels": 10_000}, {"coded_pixels": 10_001}, Reason.TOO_MANY_PIXELS),
        ({"frames_max": 200}, {"frames": 200}, {"frames": 201}, Reason.TOO_MANY_FRAMES),
    ],
)
def test_a_bound_that_was_set_holds_exactly(
    limits: dict[str, int], taken: dict[str, int], refused: dict[str, int], expected: Reason
) -> None:
    small = {"coded_pixels": 1, "frames": 1}
    judge(msgspec.structs.replace(GOOD, **(small | taken)), VideoLimits(**limits), 60.0)
    with pytest.raises(UnprocessableMedia) as refusal:
        judge(msgspec.structs.replace(GOOD, **(small | refused)), VideoLimits(**limits), 60.0)
    assert refusal.value.reason is expected


def test_how_long_a_video_may_be_depends_on_what_it_is_for() -> None:
    assert [reason(seconds_max, seconds=20.0) for seconds_max in (60.0, 15.0)] == [None, Reason.TOO_LONG]
