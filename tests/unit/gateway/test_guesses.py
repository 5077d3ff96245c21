"""Wrong passwords: slow for who guesses, and no way to keep an owner out."""

import asyncio
from typing import Any

import httpx
import pytest

from gateway.limits.guesses import password_guesses
from gateway.passwords import Passwords
from photolog.errors import StoreUnavailable
from photolog.settings import LimitSettings
from tests.unit.gateway.river import PASSWORD, WIDE, Person, River, person

ATTACKER, OWNER, CAFE = "198.51.100.66", "203.0.113.7", "203.0.113.99"
WRONG = "not the password"


def river_of(**rates: str) -> River:
    few = {"rate_guesses": "3/900", "rate_guesses_name": "5/3600", "rate_guesses_address": "8/3600"}
    return River(limits=LimitSettings.model_validate({**dict(WIDE), **few, **rates}))


async def log_in(client: httpx.AsyncClient, username: str, password: str = WRONG) -> httpx.Response:
    return await client.post("/v1/sessions", json={"username": username, "password": password})


async def statuses(client: httpx.AsyncClient, username: str, times: int, password: str = WRONG) -> list[int]:
    return [(await log_in(client, username, password)).status_code for _ in range(times)]


def shape(answer: httpx.Response) -> Any:
    """An answer without what differs between any two requests."""
    ours = {key: value for key, value in answer.headers.items() if key not in ("x-request-id", "ratelimit")}
    return answer.status_code, ours, {**answer.json(), "correlation_id": ""}


async def test_guessing_is_slow_also_with_the_right_password_at_last() -> None:
    river = river_of()
    async with river.client(OWNER) as home, river.client(ATTACKER) as attacker:
        await Person(home, "ada").sign_up()
        assert await statuses(attacker, "ada", 3) == [401, 401, 401]
        refused = await log_in(attacker, "ada", PASSWORD)
        assert (refused.status_code, refused.json()["type"]) == (429, "/problems/quota-exceeded")
        assert refused.headers["retry-after"] == "300"
        river.now_ms += 300_000
        assert await statuses(attacker, "ada", 2) == [401, 429], "one more each five minutes"


async def test_a_name_that_nobody_has_is_answered_like_any_other() -> None:
    river = river_of()
    async with river.client(OWNER) as home, river.client(ATTACKER) as one, river.client("192.0.2.1") as other:
        await Person(home, "ada").sign_up()
        known = [shape(await log_in(one, "ada")) for _ in range(5)]
        unknown = [shape(await log_in(other, "nobody")) for _ in range(5)]
    assert known == unknown
    assert known[4][0] == 429


async def test_who_knows_the_password_may_log_in_as_often_as_they_like() -> None:
    river = river_of()
    async with river.client(OWNER) as home:
        await Person(home, "ada").sign_up()
        assert await statuses(home, "ada", 12, PASSWORD) == [201] * 12
        assert await statuses(home, "ada", 2) == [401, 401]
        assert await statuses(home, "ada", 5, PASSWORD) == [201] * 5, "a slip does not keep the owner out"


async def test_many_attackers_share_a_names_rate_and_the_owner_comes_in_where_they_were_before() -> None:
    river = river_of()
    async with river.client(OWNER) as home:
        ada = await person(home, "ada")
        answers = []
        for number in range(4):
            async with river.client(f"192.0.2.{number}") as attacker:
                answers += await statuses(attacker, "ada", 2)
        assert answers == [401] * 5 + [429] * 3
        assert (await log_in(home, "ada", PASSWORD)).status_code == 201
        async with river.client(CAFE) as cafe:
            assert (await log_in(cafe, "ada", PASSWORD)).status_code == 429, "from elsewhere, not while it lasts"
            refreshed = await cafe.post("/v1/sessions/refresh", json={"refresh_token": ada.tokens["refresh_token"]})
            assert refreshed.status_code == 200, "who is signed in stays so"
            assert (await log_in(cafe, "ada", PASSWORD)).status_code == 201, "and was seen there"


async def test_one_address_cannot_try_one_password_on_all_names() -> None:
    river = river_of()
    async with river.client(ATTACKER) as attacker, river.client(OWNER) as other:
        answers = [(await log_in(attacker, f"name_{number}")).status_code for number in range(10)]
        assert answers == [401] * 8 + [429] * 2
        assert (await log_in(other, "name_9")).status_code == 401


async def test_many_guesses_at_once_count_before_they_are_looked_at() -> None:
    river = river_of()
    async with river.client(OWNER) as home, river.client(ATTACKER) as attacker:
        await Person(home, "ada").sign_up()
        answers = await asyncio.gather(*(log_in(attacker, "ada") for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [401] * 3 + [429] * 17


async def test_what_could_not_be_judged_is_no_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(*arguments: object) -> bool:
        raise StoreUnavailable("too many passwords are being checked")

    river = river_of()
    async with river.client(OWNER) as home:
        await Person(home, "ada").sign_up()
        with monkeypatch.context() as patch:
            patch.setattr(Passwords, "verify", busy)
            assert await statuses(home, "ada", 6) == [503] * 6
        assert await statuses(home, "ada", 4) == [401, 401, 401, 429]


async def test_the_password_cannot_be_guessed_in_a_session_and_another_session_is_free() -> None:
    river = river_of()
    async with river.client() as client:
        stolen = await person(client, "ada")
        own = await Person(client, "ada").log_in()
        wrong = {"current_password": WRONG, "new_password": "another password"}
        answers = [(await stolen.request("PUT", "/v1/me/password", json=wrong)).status_code for _ in range(4)]
        assert answers == [403, 403, 403, 429]
        assert (await stolen.request("DELETE", "/v1/me", json={"password": PASSWORD})).status_code == 429
        right = {"current_password": PASSWORD, "new_password": "another password"}
        assert (await own.request("PUT", "/v1/me/password", json=right)).status_code == 204


async def test_guesses_are_counted_while_the_cache_is_away() -> None:
    river = river_of()
    async with river.client(OWNER) as home:
        await person(home, "ada")
        river.cache.away = True
        assert await statuses(home, "ada", 4) == [401, 401, 401, 429]


async def test_neither_names_nor_addresses_are_kept() -> None:
    river = river_of()
    async with river.client(ATTACKER) as attacker:
        await statuses(attacker, "ada_lovelace", 3)
    kept = str(river.buckets._full_at_us)
    assert "ada_lovelace" not in kept
    assert ATTACKER not in kept


async def test_where_an_account_is_signed_in_is_not_known_of_others() -> None:
    river = river_of()
    guesses = password_guesses(river.services)
    await guesses.signed_in(1, "here", river.now_ms)
    assert await guesses._signed_in_at(1, "here")
    assert not await guesses._signed_in_at(1, "there")
    assert not await guesses._signed_in_at(2, "here")
    assert not await guesses._signed_in_at(None, "here")
