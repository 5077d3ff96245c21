import asyncio

import httpx
import pytest

from photolog.errors import LogUnavailable
from projections.accounts import ACCOUNTS
from schemas.events import AccountCreated
from tests.unit.gateway.river import PASSWORD, Person, River, person

SIGN_UP = {"username": "ada", "password": PASSWORD}


async def test_a_new_account_can_log_in_and_read_itself(client: httpx.AsyncClient) -> None:
    ada = await person(client, "Ada.Lovelace", display_name="Ada", private=True)
    own = (await ada.request("GET", "/v1/me")).json()
    assert own["id"] == ada.account_id
    assert (own["username"], own["display_name"], own["private"]) == ("ada.lovelace", "Ada", True)
    assert own["counts"] == {"followers": 0, "following": 0, "posts": 0}


async def test_the_event_is_encrypted_and_opens_under_the_accounts_key(client: httpx.AsyncClient, river: River) -> None:
    await Person(client, "ada").sign_up(display_name="Countess")
    assert b"Countess" not in river.records[0].value
    assert b"ada" not in river.records[0].key
    event = river.recorded(0).event
    assert isinstance(event, AccountCreated)
    assert event.display_name == "Countess"


async def test_a_name_is_unique_whatever_its_case(client: httpx.AsyncClient) -> None:
    await Person(client, "ada").sign_up()
    answer = await client.post("/v1/accounts", json={"username": "ADA", "password": "another password"})
    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/username-taken"
    assert answer.json()["field"] == "username"


@pytest.mark.parametrize("username", ["ab", "a" * 31, "white space", "ünicode", "semi;colon", "", "trailing."])
async def test_a_malformed_name_is_refused_by_its_field(client: httpx.AsyncClient, river: River, username: str) -> None:
    answer = await client.post("/v1/accounts", json={"username": username, "password": PASSWORD})
    assert answer.status_code == 422
    assert answer.json()["field"] == "username"
    assert river.records == []


@pytest.mark.parametrize("password", ["short", "x" * 129])
async def test_a_password_has_bounds(client: httpx.AsyncClient, password: str) -> None:
    answer = await client.post("/v1/accounts", json={"username": "ada", "password": password})
    assert answer.status_code == 422
    assert answer.json()["field"] == "password"


async def test_a_sign_up_that_broke_off_is_finished_by_whoever_knows_its_password(
    client: httpx.AsyncClient, river: River
) -> None:
    river.log_away = True
    assert (await client.post("/v1/accounts", json=SIGN_UP)).status_code == 503
    river.log_away = False
    stranger = await client.post("/v1/accounts", json={"username": "ada", "password": "not that password"})
    assert stranger.status_code == 409
    assert (await client.post("/v1/accounts", json=SIGN_UP)).status_code == 201
    await Person(client, "ada").log_in()


async def test_finishing_it_twice_is_one_logical_event(client: httpx.AsyncClient, river: River) -> None:
    """The log took the first one, but nobody heard of it."""
    river.flowing = False
    taken = river.vault.usernames.take

    async def crash(username: str, account_id: int) -> bool:
        raise LogUnavailable("the process died here")

    river.vault.usernames.take = crash  # type: ignore[method-assign]
    assert (await client.post("/v1/accounts", json=SIGN_UP)).status_code == 503
    river.vault.usernames.take = taken  # type: ignore[method-assign]
    again = await client.post("/v1/accounts", json=SIGN_UP)
    assert again.status_code == 201
    first, second = river.recorded(0), river.recorded(1)
    assert first.event_id == second.event_id
    await river.flow()
    assert await river.rows.get(ACCOUNTS.key(int(again.json()["account_id"]))) is not None


async def test_a_name_that_nobody_finished_falls_free_once_no_retry_can_come(
    client: httpx.AsyncClient, river: River
) -> None:
    river.log_away = True
    await client.post("/v1/accounts", json=SIGN_UP)
    river.log_away = False
    other = {"username": "ada", "password": "another password"}
    river.now_ms += (river.settings.limits.reservation_seconds - 60) * 1000
    assert (await client.post("/v1/accounts", json=other)).status_code == 409
    river.now_ms += 2 * 3_600_000
    assert (await client.post("/v1/accounts", json=other)).status_code == 201


async def test_a_name_whose_account_exists_never_falls_free(client: httpx.AsyncClient, river: River) -> None:
    await Person(client, "ada").sign_up()
    river.now_ms += 10 * river.settings.limits.reservation_seconds * 1000
    assert (await client.post("/v1/accounts", json=SIGN_UP)).status_code == 409


async def test_of_many_at_once_one_gets_the_name(client: httpx.AsyncClient) -> None:
    bodies = [{"username": "ada", "password": f"password number {number}"} for number in range(8)]
    answers = await asyncio.gather(*(client.post("/v1/accounts", json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
