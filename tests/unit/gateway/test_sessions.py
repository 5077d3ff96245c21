import asyncio

import httpx
import pytest

from gateway.passwords import Passwords
from gateway.vault.port import SessionRow
from photolog.errors import StoreUnavailable
from tests.unit.gateway.river import PASSWORD, Person, River, person


async def _refresh(client: httpx.AsyncClient, token: str, key: str | None = None) -> httpx.Response:
    headers = {"idempotency-key": key} if key else {}
    return await client.post("/v1/sessions/refresh", json={"refresh_token": token}, headers=headers)


async def test_wrong_name_and_wrong_password_are_told_apart_by_nothing(client: httpx.AsyncClient) -> None:
    await Person(client, "ada").sign_up()
    nobody = await client.post("/v1/sessions", json={"username": "nobody", "password": PASSWORD})
    wrong = await client.post("/v1/sessions", json={"username": "ada", "password": "wrong password"})
    assert nobody.status_code == wrong.status_code == 401
    assert {**nobody.json(), "correlation_id": ""} == {**wrong.json(), "correlation_id": ""}


async def test_an_unknown_name_is_checked_against_a_hash_all_the_same(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    matches = Passwords._matches

    def counted(self: Passwords, password_hash: str, password: str) -> bool:
        checked.append(password_hash)
        return matches(self, password_hash, password)

    monkeypatch.setattr(Passwords, "_matches", counted)
    await client.post("/v1/sessions", json={"username": "nobody", "password": PASSWORD})
    assert len(checked) == 1


@pytest.mark.parametrize("username", ["", "a", "no body", "\u212a" * 3, ".ada"])
async def test_a_name_that_nobody_can_have_is_answered_without_asking_for_it(
    client: httpx.AsyncClient, river: River, monkeypatch: pytest.MonkeyPatch, username: str
) -> None:
    async def refused(name: str) -> None:
        raise StoreUnavailable(f"as Cassandra does with an empty key: {name!r}")

    monkeypatch.setattr(river.services.vault.usernames, "get", refused)
    answer = await client.post("/v1/sessions", json={"username": username, "password": PASSWORD})
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/wrong-credentials")


async def test_a_refresh_replaces_both_tokens(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    answer = await _refresh(client, ada.tokens["refresh_token"])
    assert answer.status_code == 200
    assert answer.json()["refresh_token"] != ada.tokens["refresh_token"]
    assert answer.json()["session_id"] == ada.tokens["session_id"]


async def test_reuse_of_an_old_refresh_token_ends_the_family(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    newer = (await _refresh(client, ada.tokens["refresh_token"])).json()
    assert (await _refresh(client, ada.tokens["refresh_token"])).status_code == 401
    assert (await _refresh(client, newer["refresh_token"])).status_code == 401
    ended = await client.get("/v1/me", headers={"authorization": f"Bearer {newer['access_token']}"})
    assert ended.status_code == 401
    assert ended.json()["type"] == "/problems/session-ended"


async def test_a_retried_refresh_under_its_key_gets_its_token_again(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    first = await _refresh(client, ada.tokens["refresh_token"], "a-key")
    again = await _refresh(client, ada.tokens["refresh_token"], "a-key")
    assert again.status_code == 200
    assert again.json()["refresh_token"] == first.json()["refresh_token"]
    assert (await _refresh(client, ada.tokens["refresh_token"], "other-key")).status_code == 401


async def test_of_two_concurrent_refreshes_one_wins_and_the_other_ends_the_family(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    answers = await asyncio.gather(*(_refresh(client, ada.tokens["refresh_token"]) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 401]


@pytest.mark.parametrize("token", ["", "abc", "A" * 86, "x" * 128, "é"])
async def test_a_forged_refresh_token_ends_nothing(client: httpx.AsyncClient, token: str) -> None:
    ada = await person(client, "ada")
    assert (await _refresh(client, token)).status_code == 401
    assert (await ada.request("GET", "/v1/me")).status_code == 200


async def test_a_changed_secret_of_a_real_session_ends_nothing(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    token = ada.tokens["refresh_token"]
    changed = token[:40] + ("A" if token[40] != "A" else "B") + token[41:]
    assert (await _refresh(client, changed)).status_code == 401
    assert (await _refresh(client, token)).status_code == 200


async def test_log_out_holds_at_the_next_request(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    assert (await ada.request("GET", "/v1/me")).status_code == 200
    assert (await ada.request("DELETE", "/v1/sessions/current")).status_code == 204
    assert (await ada.request("GET", "/v1/me")).status_code == 401
    assert (await _refresh(client, ada.tokens["refresh_token"])).status_code == 401


async def test_sessions_are_listed_newest_first_and_ended_one_by_one(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    elsewhere = await Person(client, "ada").log_in()
    items = (await ada.request("GET", "/v1/sessions")).json()["items"]
    assert [item["session_id"] for item in items] == [elsewhere.tokens["session_id"], ada.tokens["session_id"]]
    assert [item["current"] for item in items] == [False, True]
    assert "python-httpx" in items[0]["user_agent"]
    ended = await ada.request("DELETE", f"/v1/sessions/{elsewhere.tokens['session_id']}")
    assert ended.status_code == 204
    assert (await elsewhere.request("GET", "/v1/me")).status_code == 401
    assert (await ada.request("GET", "/v1/me")).status_code == 200


async def test_somebody_elses_session_is_not_there(client: httpx.AsyncClient) -> None:
    ada, bob = await person(client, "ada"), await person(client, "bob")
    answer = await bob.request("DELETE", f"/v1/sessions/{ada.tokens['session_id']}")
    assert answer.status_code == 404
    assert (await ada.request("GET", "/v1/me")).status_code == 200


async def test_a_new_password_ends_all_other_sessions(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    elsewhere = await Person(client, "ada").log_in()
    change = {"current_password": PASSWORD, "new_password": "a better password"}
    assert (await ada.request("PUT", "/v1/me/password", json=change)).status_code == 204
    assert (await ada.request("PUT", "/v1/me/password", json=change)).status_code == 204, "a retry is answered alike"
    assert (await ada.request("GET", "/v1/me")).status_code == 200
    assert (await elsewhere.request("GET", "/v1/me")).status_code == 401
    old = await client.post("/v1/sessions", json={"username": "ada", "password": PASSWORD})
    assert old.status_code == 401
    new = await client.post("/v1/sessions", json={"username": "ada", "password": "a better password"})
    assert new.status_code == 201


async def test_a_password_change_needs_the_present_one(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    change = {"current_password": "wrong password", "new_password": "a better password"}
    answer = await ada.request("PUT", "/v1/me/password", json=change)
    assert answer.status_code == 403
    assert answer.json()["field"] == "current_password"


async def test_a_log_in_that_races_a_password_change_gets_no_session(client: httpx.AsyncClient, river: River) -> None:
    """The change ends all sessions that it finds; this one is written just after it looked."""
    ada = await person(client, "ada")
    create = river.vault.sessions.create

    async def change_first(row: SessionRow) -> None:
        river.vault.sessions.create = create  # type: ignore[method-assign]
        change = {"current_password": PASSWORD, "new_password": "a better password"}
        assert (await ada.request("PUT", "/v1/me/password", json=change)).status_code == 204
        await create(row)

    river.vault.sessions.create = change_first  # type: ignore[method-assign]
    answer = await client.post("/v1/sessions", json={"username": "ada", "password": PASSWORD})
    assert answer.status_code == 401
    items = (await ada.request("GET", "/v1/sessions")).json()["items"]
    assert [item["session_id"] for item in items] == [ada.tokens["session_id"]]


async def test_a_reader_that_found_the_row_just_before_its_end_cannot_revive_it(
    client: httpx.AsyncClient, river: River
) -> None:
    ada = await person(client, "ada")
    get = river.vault.sessions.get

    async def end_meanwhile(account_id: int, session_id: int) -> SessionRow | None:
        river.vault.sessions.get = get  # type: ignore[method-assign]
        row = await get(account_id, session_id)
        await river.services.authentication.revoked(account_id, session_id)
        await river.vault.sessions.revoke(account_id, session_id)
        return row

    river.vault.sessions.get = end_meanwhile  # type: ignore[method-assign]
    await ada.request("GET", "/v1/me")
    assert (await ada.request("GET", "/v1/me")).status_code == 401


async def test_an_ended_session_stays_ended_when_the_cache_is_flushed(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    await ada.request("DELETE", "/v1/sessions/current")
    river.cache.flush()
    assert (await ada.request("GET", "/v1/me")).status_code == 401


async def test_a_cache_that_lost_a_write_keeps_a_dead_session_for_a_minute_at_most(
    client: httpx.AsyncClient, river: River
) -> None:
    ada = await person(client, "ada")
    await ada.request("GET", "/v1/me")
    await river.vault.sessions.revoke(int(ada.account_id), int(ada.tokens["session_id"]))
    river.now_ms += 60_001
    assert (await ada.request("GET", "/v1/me")).status_code == 401


async def test_without_a_cache_the_rows_decide(client: httpx.AsyncClient, river: River) -> None:
    ada, bob = await person(client, "ada"), await person(client, "bob")
    await bob.request("DELETE", "/v1/sessions/current")
    river.cache.away = True
    assert (await ada.request("GET", "/v1/me")).status_code == 200
    assert (await bob.request("GET", "/v1/me")).status_code == 401


async def test_without_cache_and_rows_nobody_gets_in(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")

    async def away(account_id: int, session_id: int) -> SessionRow | None:
        raise StoreUnavailable("the rows are away")

    river.cache.away = True
    river.vault.sessions.get = away  # type: ignore[method-assign]
    answer = await ada.request("GET", "/v1/me")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


async def test_an_end_that_the_cache_did_not_hear_of_is_not_acknowledged(
    client: httpx.AsyncClient, river: River
) -> None:
    ada = await person(client, "ada")
    river.cache.away = True
    assert (await ada.request("DELETE", "/v1/sessions/current")).status_code == 503


async def test_an_expired_token_is_refused(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    river.now_ms += ada.tokens["expires_in_seconds"] * 1000
    answer = await ada.request("GET", "/v1/me")
    assert answer.status_code == 401
    assert answer.json()["type"] == "/problems/token-expired"
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_the_session_unused_for_longest_makes_room(
    client: httpx.AsyncClient, river: River, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.commands.sessions.SESSIONS_MAX", 3)
    sessions = [await person(client, "ada")]
    for _ in range(3):
        river.now_ms += 1_000
        sessions.append(await Person(client, "ada").log_in())
    assert (await sessions[0].request("GET", "/v1/me")).status_code == 401
    assert (await sessions[1].request("GET", "/v1/me")).status_code == 200
