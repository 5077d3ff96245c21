"""One person's connection against a server made of a function."""

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest

from photolog import errors
from photolog.client import Client, Unavailable, UnexpectedAnswer, Unreachable, blocking
from photolog.client.transport import ATTEMPTS_MAX, CarriedPositions
from photolog.client.views import Tokens
from photolog.positions import POSITIONS_MAX

Server = Callable[[httpx.Request], httpx.Response]
TOKENS = Tokens(account_id="1", access_token="first", refresh_token="again", expires_in_seconds=600)


def client_of(server: Server) -> Client:
    """A client whose gateway and object store are this function."""
    pool = httpx.AsyncClient(base_url="http://gateway.test", transport=httpx.MockTransport(server))
    return Client(pool, pool)


def problem(status: int, kind: str, **more: str) -> httpx.Response:
    return httpx.Response(status, json={"type": f"/problems/{kind}", "detail": "because", **more})


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(seconds: float) -> None:
        assert 0 <= seconds <= 5

    monkeypatch.setattr(asyncio, "sleep", at_once)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, errors.Invalid),
        (401, errors.Unauthenticated),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (413, errors.Limited),
        (422, errors.Invalid),
        (429, errors.Limited),
    ],
)
async def test_a_problem_becomes_the_error_that_the_gateway_raised(status: int, error: type[errors.Refusal]) -> None:
    client = client_of(lambda request: problem(status, "some-kind", field="caption"))
    with pytest.raises(error) as raised:
        await client.me()
    assert (raised.value.kind, raised.value.detail, raised.value.field) == ("some-kind", "because", "caption")


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"type":7}', b"\xff\xfe"])
async def test_a_foreign_answer_is_told_as_such(body: bytes) -> None:
    client = client_of(lambda request: httpx.Response(500, content=body))
    with pytest.raises(UnexpectedAnswer):
        await client.me()
    client = client_of(lambda request: httpx.Response(200, content=body or b"{}"))
    with pytest.raises(UnexpectedAnswer):
        await client.me()


async def test_a_retry_goes_out_under_the_same_idempotency_key() -> None:
    keys: list[str] = []

    def server(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) < ATTEMPTS_MAX:
            return problem(503, "log-unavailable")
        return httpx.Response(200, json={"account_id": "2", "following": "active"})

    client = client_of(server)
    assert (await client.follow("2")).following == "active"
    assert len(keys) == ATTEMPTS_MAX
    assert len(set(keys)) == 1
    keys.clear()
    await client.follow("2")
    await client.follow("2")
    assert len(set(keys)) == 2


async def test_who_cannot_answer_is_asked_a_bounded_number_of_times() -> None:
    asked: list[str] = []

    def server(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(503, headers={"Retry-After": "1"})

    with pytest.raises(Unavailable) as raised:
        await client_of(server).me()
    assert len(asked) == ATTEMPTS_MAX
    assert raised.value.retry_after_seconds == 1


async def test_who_comes_too_soon_waits_as_told_and_no_longer_than_is_bearable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    def server(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        if len(asked) == 1:
            return httpx.Response(429, headers={"Retry-After": "2"})
        return httpx.Response(429, headers={"Retry-After": "3600"}, json={"type": "/problems/quota-exceeded"})

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(errors.TooSoon) as raised:
        await client_of(server).me()
    assert (len(asked), waited) == (2, [2])
    assert (raised.value.kind, raised.value.retry_after_seconds) == ("quota-exceeded", 3600)


async def test_nobody_at_the_address_is_told_with_the_address() -> None:
    def server(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(Unreachable, match=r"gateway\.test"):
        await client_of(server).me()


async def test_what_was_written_is_waited_for_by_what_is_read() -> None:
    carried: list[str | None] = []

    def server(request: httpx.Request) -> httpx.Response:
        carried.append(request.headers.get("Photolog-Position"))
        if request.method == "PUT":
            return httpx.Response(200, headers={"Photolog-Position": "likes/3@12"}, json={})
        return httpx.Response(200, headers={"Photolog-Position": "posts/0@99"}, json={"id": "1", "username": "ada"})

    client = client_of(server)
    await client.me()
    await client.like("5")
    await client.me()
    # What a query covers was somebody else's writing.
    assert carried == [None, None, "likes/3@12"]


def test_the_newest_position_of_each_partition_is_carried_and_the_oldest_forgotten() -> None:
    carried = CarriedPositions()
    carried.take("posts/1@7")
    carried.take("posts/1@5")
    carried.take("graph/0@3,posts/1@6")
    assert carried.header() == "graph/0@3,posts/1@7"
    for partition in range(POSITIONS_MAX):
        carried.take(f"likes/{partition}@1")
    assert carried.header().count("likes/") == POSITIONS_MAX
    assert "posts" not in carried.header()


async def test_an_expired_token_is_refreshed_once_for_all_who_wait() -> None:
    refreshed: list[bytes] = []

    def server(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/sessions/refresh":
            refreshed.append(request.content)
            fresh = {"account_id": "1", "access_token": "second", "refresh_token": "more", "expires_in_seconds": 600}
            return httpx.Response(200, json=fresh)
        if request.headers["Authorization"] != "Bearer second":
            return problem(401, "expired-token")
        return httpx.Response(200, json={"id": "1", "username": "ada"})

    client = client_of(server)
    client.transport.hold(TOKENS)
    accounts = await asyncio.gather(*(client.me() for _ in range(5)))
    assert [account.username for account in accounts] == ["ada"] * 5
    assert [json.loads(body) for body in refreshed] == [{"refresh_token": "again"}]
    assert client.transport.access_token == "second"


async def test_a_token_about_to_expire_is_refreshed_before_it_is_sent() -> None:
    seen: list[str] = []

    def server(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        fresh = {"account_id": "1", "access_token": "second", "refresh_token": "more", "expires_in_seconds": 600}
        return httpx.Response(200, json={**fresh, "id": "1", "username": "ada"})

    client = client_of(server)
    client.transport.hold(Tokens(account_id="1", access_token="a", refresh_token="b", expires_in_seconds=5))
    await client.me()
    assert seen == ["/v1/sessions/refresh", "/v1/me"]


async def test_a_revoked_family_ends_in_unauthenticated_without_going_round() -> None:
    asked: list[str] = []

    def server(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return problem(401, "invalid-refresh-token")

    client = client_of(server)
    client.transport.hold(TOKENS)
    with pytest.raises(errors.Unauthenticated):
        await client.me()
    assert asked == ["/v1/me", "/v1/sessions/refresh"]


async def test_lists_are_followed_to_their_end() -> None:
    pages = {None: ("1", "n1"), "n1": ("2", "n2"), "n2": ("3", None)}

    def server(request: httpx.Request) -> httpx.Response:
        item, following = pages[request.url.params.get("cursor")]
        return httpx.Response(200, json={"items": [{"id": item, "username": None}], "next_cursor": following})

    assert [one.id async for one in client_of(server).followers("9")] == ["1", "2", "3"]


def test_a_plain_program_may_call_too() -> None:
    with blocking("http://127.0.0.1:9") as session, pytest.raises(Unreachable):
        session.run(session.client.me())
