"""Rates: integers that never promise more than they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photolog.rates import QUOTA_MAX, WINDOW_SECONDS_MAX, Rate, parse_rate

rates = st.builds(Rate, st.integers(1, QUOTA_MAX), st.integers(1, WINDOW_SECONDS_MAX))


@given(rates)
def test_a_rate_is_written_as_it_is_read(rate: Rate) -> None:
    assert parse_rate(str(rate)) == rate


@pytest.mark.parametrize(
    "text", ["", "600", "600/", "/60", "0/60", "600/0", "1000001/60", "600/86401", "-1/60", "6e2/60"]
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        parse_rate(text)


@given(rates)
def test_tokens_come_back_no_sooner_than_the_rate_says(rate: Rate) -> None:
    assert rate.token_us * rate.quota >= rate.window_seconds * 1_000_000
    assert (rate.token_us - 1) * rate.quota < rate.window_seconds * 1_000_000


@given(rates, st.data())
def test_what_is_left_and_how_long_to_wait_agree(rate: Rate, data: st.DataObject) -> None:
    debt_us = data.draw(st.integers(0, rate.debt_us_max))
    left, wait_seconds = rate.left(debt_us), rate.wait_seconds(debt_us)
    assert 0 <= left <= rate.quota
    assert (wait_seconds == 0) == (left > 0)
    assert rate.left(max(0, debt_us - wait_seconds * 1_000_000)) > 0, "whoever waits finds a token"
