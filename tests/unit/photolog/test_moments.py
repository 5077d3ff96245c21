"""Times as people give them."""

import pytest

from photolog.errors import Invalid
from photolog.log.moments import parse_moment

NOW_MS = 1_796_040_000_000


@pytest.mark.parametrize(
    ("text", "moment_ms"),
    [
        ("45s", NOW_MS - 45_000),
        ("30m", NOW_MS - 1_800_000),
        ("2h", NOW_MS - 7_200_000),
        ("7d", NOW_MS - 7 * 86_400_000),
        ("1w", NOW_MS - 7 * 86_400_000),
        ("0s", NOW_MS),
        ("1970-01-01", 0),
        ("1970-01-01T00:00:01.5", 1_500),
        ("1970-01-01T01:00:00+01:00", 0),
        ("2026-11-30T10:15:00Z", 1_796_033_700_000),
        ("2026-11-30 10:15", 1_796_033_700_000),
    ],
)
def test_an_instant_or_how_long_ago_is_a_time(text: str, moment_ms: int) -> None:
    assert parse_moment(text, NOW_MS, "--since") == moment_ms


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2h30", "-2h", "2 h", "2026-13-01", "1969-12-31", "99999999w", "1h30m", "٣h", "2026-11-30T25:00"],
)
def test_anything_else_is_refused_by_the_options_name(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_moment(text, NOW_MS, "--since")
    assert refused.value.field == "--since"
    assert repr(text) in refused.value.detail
