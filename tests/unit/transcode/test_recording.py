"""Which recordings are taken: each bound exactly reached, and passed."""

import msgspec
import pytest

from transcode.errors import Reason, UnprocessableMedia
from transcode.recording import Recording, VoiceLimits, judge

LIMITS = VoiceLimits(packets_max=1_000)
SOUND = Recording(seconds=3.0, declared_seconds=3.0, codec="opus", channels=1, packets=150, ends=True, has_film=False)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"seconds": 300.0, "declared_seconds": 300.0},
        {"seconds": 300.5, "declared_seconds": 301.0},
        {"channels": 8},
        {"packets": 1_000},
        {"codec": "aac"},
        {"codec": "alac"},
        {"codec": "mp3"},
        {"declared_seconds": 0.0},
        {"declared_seconds": 3.5},
    ],
)
def test_what_is_within_every_bound_is_taken(changed: dict[str, object]) -> None:
    judge(msgspec.structs.replace(SOUND, **changed), LIMITS)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"seconds": 300.6}, Reason.TOO_LONG),
        ({"packets": 1_001}, Reason.TOO_LONG),
        ({"channels": 9}, Reason.TOO_MANY_CHANNELS),
        ({"codec": "flac"}, Reason.UNSUPPORTED_CODEC),
        ({"has_film": True}, Reason.MISLABELLED),
        ({"packets": 0}, Reason.DAMAGED_AUDIO),
        ({"seconds": 0.0, "declared_seconds": 0.0}, Reason.DAMAGED_AUDIO),
        ({"declared_seconds": 36_000.0}, Reason.DAMAGED_AUDIO),
        ({"declared_seconds": 3.6}, Reason.DAMAGED_AUDIO),
        ({"ends": False}, Reason.DAMAGED_AUDIO),
    ],
)
def test_what_is_beyond_one_is_refused_with_its_reason(changed: dict[str, object], reason: Reason) -> None:
    with pytest.raises(UnprocessableMedia) as refusal:
        judge(msgspec.structs.replace(SOUND, **changed), LIMITS)
    assert refusal.value.reason is reason
