import httpx

from tests.unit.gateway.river import PASSWORD, Person, River, person


def _operator(river: River, name: str = "grace") -> dict[str, str]:
    return {"authorization": f"Bearer {river.services.tokens.for_operator(name, 600)}"}


def _path(ada: Person) -> str:
    return f"/v1/operator/accounts/{ada.account_id}/suspension"


async def test_a_suspension_holds_on_the_very_next_request(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    assert (await ada.request("GET", "/v1/me")).status_code == 200
    answer = await client.put(_path(ada), json={"reason": "spam"}, headers=_operator(river))
    assert answer.json() == {"account_id": ada.account_id, "state": "suspended"}
    for method, path in (
        ("GET", "/v1/me"),
        ("DELETE", "/v1/sessions/current"),
        ("GET", f"/v1/accounts/{ada.account_id}"),
    ):
        refused = await ada.request(method, path)
        assert refused.status_code == 403
        assert refused.json()["type"] == "/problems/account-suspended"


async def test_a_suspended_account_can_neither_log_in_nor_refresh(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    await client.put(_path(ada), json={"reason": "spam"}, headers=_operator(river))
    log_in = await client.post("/v1/sessions", json={"username": "ada", "password": PASSWORD})
    assert log_in.status_code == 403
    wrong = await client.post("/v1/sessions", json={"username": "ada", "password": "wrong password"})
    assert wrong.status_code == 401, "only who knows the password learns of the suspension"
    refresh = await client.post("/v1/sessions/refresh", json={"refresh_token": ada.tokens["refresh_token"]})
    assert refresh.status_code == 403


async def test_who_proves_to_be_the_owner_is_told_the_rule_and_nobody_the_note(
    client: httpx.AsyncClient, river: River
) -> None:
    ada = await person(client, "ada")
    said = {"reason": "self_harm", "note": "see ticket 12"}
    assert (await client.put(_path(ada), json=said, headers=_operator(river))).status_code == 200
    log_in = await client.post("/v1/sessions", json={"username": "ada", "password": PASSWORD})
    assert log_in.json()["detail"] == "the account is suspended: self_harm"
    unknown = await client.put(_path(ada), json={"reason": "dislikes"}, headers=_operator(river))
    assert (unknown.status_code, unknown.json()["field"]) == (422, "reason")


async def test_a_reinstated_account_is_back(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    await client.put(_path(ada), json={"reason": "spam"}, headers=_operator(river))
    answer = await client.delete(_path(ada), headers=_operator(river))
    assert answer.json()["state"] == "active"
    assert (await ada.request("GET", "/v1/me")).status_code == 200


async def test_others_no_longer_see_a_suspended_account(client: httpx.AsyncClient, river: River) -> None:
    ada, bob = await person(client, "ada"), await person(client, "bob")
    await client.put(_path(ada), json={"reason": "spam"}, headers=_operator(river))
    assert (await bob.request("GET", f"/v1/accounts/{ada.account_id}")).status_code == 404


async def test_a_suspension_that_the_read_model_has_not_got_is_not_acknowledged(
    client: httpx.AsyncClient, river: River
) -> None:
    ada = await person(client, "ada")
    river.flowing = False
    answer = await client.put(_path(ada), json={"reason": "spam"}, headers=_operator(river))
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/position-timeout"
    assert answer.headers["retry-after"]


async def test_it_holds_while_the_cache_is_away(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    await client.put(_path(ada), json={"reason": "spam"}, headers=_operator(river))
    river.cache.away = True
    assert (await ada.request("GET", "/v1/me")).status_code == 403


async def test_only_operators_suspend(client: httpx.AsyncClient, river: River) -> None:
    ada, bob = await person(client, "ada"), await person(client, "bob")
    records = len(river.records)
    assert (await bob.request("PUT", _path(ada), json={"reason": "spite"})).status_code == 403
    assert (await client.put(_path(ada), json={"reason": "spite"})).status_code == 401
    assert len(river.records) == records


async def test_an_operators_token_is_no_accounts(client: httpx.AsyncClient, river: River) -> None:
    assert (await client.get("/v1/me", headers=_operator(river))).status_code == 403


async def test_an_unknown_account_cannot_be_suspended(client: httpx.AsyncClient, river: River) -> None:
    answer = await client.put(
        "/v1/operator/accounts/12345/suspension", json={"reason": "spam"}, headers=_operator(river)
    )
    assert answer.status_code == 404
