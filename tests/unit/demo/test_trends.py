"""When the demo expects hashtags to trend, and what it finds wrong with what it is told."""

from datetime import UTC, datetime

import httpx
import pytest

from cli import demo_trends
from cli.demo_story_checks import viewed_by
from cli.demo_story_report import trends_sentence
from cli.demo_trends import DUE_AFTER_MS, Trends
from gateway.story_summary import viewed_by as gateway_viewed_by
from photolog.client import Client
from photolog.client.told_stories import Trending, TrendingHashtag

NOON_MS = 1_780_315_200_000
MINUTE_MS = 60_000


def told(end_minutes: int | None, **people: int) -> Client:
    """A client whose gateway tells a window that ends so many minutes after noon."""
    end = None if end_minutes is None else (NOON_MS + end_minutes * MINUTE_MS)
    body = {
        "scope": "world",
        "window_start": end and datetime.fromtimestamp(end / 1_000 - 3_600, UTC).isoformat(),
        "window_end": end and datetime.fromtimestamp(end / 1_000, UTC).isoformat(),
        "hashtags": [{"hashtag": hashtag, "people": count} for hashtag, count in people.items()],
    }
    pool = httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, json=body)), base_url="http://gateway.test"
    )
    return Client(pool, pool)


def set_clock(monkeypatch: pytest.MonkeyPatch, minutes: float) -> None:
    monkeypatch.setattr(demo_trends, "now_ms", lambda: NOON_MS + int(minutes * MINUTE_MS))


USES = [(NOON_MS + 2 * MINUTE_MS, 1, "moon"), (NOON_MS + 3 * MINUTE_MS, 2, "moon"), (NOON_MS + 7 * MINUTE_MS, 2, "sea")]


def test_a_list_is_due_once_the_five_minutes_of_the_first_use_are_over_and_late_records_were_awaited() -> None:
    assert Trends(USES).due_ms == NOON_MS + 5 * MINUTE_MS + DUE_AFTER_MS
    assert Trends([(NOON_MS, 1, "moon")]).due_ms == NOON_MS + 5 * MINUTE_MS + DUE_AFTER_MS


async def test_no_list_is_wrong_only_once_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    trends = Trends(USES)
    set_clock(monkeypatch, 5.9)
    assert await trends.failure(told(None)) is None
    assert await trends.failure(told(-5, old=1)) is None
    set_clock(monkeypatch, 6.1)
    assert "no hashtag trends" in (await trends.failure(told(None)) or "")
    assert "no hashtag trends" in (await trends.failure(told(0, old=1)) or "")


async def test_each_hashtag_of_the_window_has_at_least_its_people() -> None:
    trends = Trends([*USES, USES[0]])
    assert await trends.failure(told(5, moon=2)) is None
    assert await trends.failure(told(5, moon=4, other=9)) is None
    assert "['moon']" in (await trends.failure(told(5, moon=1)) or "")
    assert await trends.failure(told(10, moon=2, sea=1)) is None
    assert "['sea']" in (await trends.failure(told(10, moon=2)) or "")


def test_the_report_tells_what_trends_or_when_it_will() -> None:
    nothing = Trending(scope="world", window_start=None, window_end=None, hashtags=[])
    assert "by 12:06:00 UTC" in trends_sentence(nothing, NOON_MS + 6 * MINUTE_MS)
    end = datetime.fromtimestamp(NOON_MS / 1_000, UTC)
    hashtags = [TrendingHashtag(hashtag="moon", people=2)]
    some = Trending(scope="world", window_start=end, window_end=end, hashtags=hashtags)
    assert "#moon (2)" in trends_sentence(some, 0)


@pytest.mark.parametrize("names", [["ada"], ["ada", "ben"], ["ada", "ben", "cleo"]])
def test_the_sentence_that_is_expected_is_the_gateways(names: list[str]) -> None:
    assert viewed_by(names) == gateway_viewed_by(names, len(names))
