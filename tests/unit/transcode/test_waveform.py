"""A waveform says where a voice note is loud."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transcode.waveform import waveform

HZ = 8_000


def test_it_rises_where_the_sound_does_and_is_nothing_where_there_is_none() -> None:
    rising = np.concatenate([np.zeros(HZ), np.linspace(0, 16_000, HZ)]).astype("<i2")
    drawn = waveform(rising.tobytes(), HZ)
    assert drawn.duration_ms == 2_000
    assert list(drawn.peaks[:50]) == [0] * 50
    assert list(drawn.peaks[50:]) == [2 * number for number in range(1, 51)]


def test_the_lowest_sample_is_as_loud_as_any() -> None:
    drawn = waveform(np.array([-32_768] * 100 + [32_767] * 100, "<i2").tobytes(), HZ)
    assert set(drawn.peaks) == {100}


def test_silence_is_a_hundred_noughts() -> None:
    assert list(waveform(bytes(2 * HZ), HZ).peaks) == [0] * 100


@given(st.lists(st.integers(-32_768, 32_767), max_size=400))
def test_there_are_always_a_hundred_between_nought_and_a_hundred(samples: list[int]) -> None:
    drawn = waveform(np.array(samples, "<i2").tobytes(), HZ)
    assert len(drawn.peaks) == 100
    assert all(0 <= peak <= 100 for peak in drawn.peaks)
    assert max(drawn.peaks) == (100 if any(samples) else 0)
