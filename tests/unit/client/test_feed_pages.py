"""The feed as a client reads it to its end, also where pages could not be read in time."""

from typing import Any

import httpx
import msgspec
import pytest

from photolog.client import Client, WaitedTooLong, photographs


def post(number: int) -> dict[str, Any]:
    return {
        "id": str(number),
        "author": {"id": "1", "username": "ada"},
        "status": "published",
        "caption": None,
        "hashtags": [],
        "mentions": [],
        "photographs": [],
        "location": None,
        "created_at": "2026-01-01T00:00:00.000Z",
        "published_at": "2026-01-01T00:00:00.000Z",
        "edited": False,
        "counts": {"likes": 0, "comments": 0},
        "viewer": {"liked": False},
    }


def page(numbers: list[int], cursor: str | None, complete: int | None) -> dict[str, Any]:
    edge = {"published_at": "2026-01-01T00:00:00.000Z", "post_id": "1"}
    span = None if complete is None else {"items": complete, "below": None, "down_to": cursor and edge}
    degraded = {"degraded": complete != len(numbers), "reasons": ["budget-spent"] if complete != len(numbers) else []}
    return {"items": [post(number) for number in numbers], "next_cursor": cursor, "complete": span, **degraded}


def client_of(pages: list[dict[str, Any]]) -> tuple[Client, list[str]]:
    asked: list[str] = []

    def gateway(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params.get("cursor", ""))
        return httpx.Response(200, content=msgspec.json.encode(pages[min(len(asked), len(pages)) - 1]))

    pool = httpx.AsyncClient(transport=httpx.MockTransport(gateway), base_url="http://gateway.test")
    return Client(pool, pool), asked


async def test_each_post_is_given_once_though_pages_show_ahead_of_what_is_complete(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(photographs, "FEED_RETRY_SECONDS", 0)
    client, asked = client_of(
        [
            page([9, 7], "top", None),
            page([9, 8, 6], "eight", 2),
            page([7, 6], "six", 2),
            page([5], None, 1),
        ]
    )
    assert [[post.id for post in posts] async for posts in client.feed_pages()] == [["9", "8"], ["7", "6"], ["5"]]
    assert asked == ["", "top", "eight", "six"]


async def test_a_feed_that_is_never_read_in_time_ends_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photographs, "FEED_RETRY_SECONDS", 0)
    client, asked = client_of([page([9], "top", None)])
    with pytest.raises(WaitedTooLong):
        [posts async for posts in client.feed_pages()]
    assert len(asked) == photographs.FEED_ATTEMPTS_MAX


async def test_a_page_tells_what_of_it_is_settled() -> None:
    client, _ = client_of([page([9, 8, 6], "eight", 2)])
    shown = await client.feed_page()
    assert [one.id for one in shown.settled] == ["9", "8"]
    assert (shown.degraded, shown.reasons, len(shown.items)) == (True, ["budget-spent"], 3)
