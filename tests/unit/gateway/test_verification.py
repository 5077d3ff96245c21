"""An operator vouches for an account, and everyone sees it."""

import httpx

from tests.unit.gateway.river import Person, River, person


def _operator(river: River) -> dict[str, str]:
    return {"authorization": f"Bearer {river.services.tokens.for_operator('grace', 600)}"}


def _path(account_id: str) -> str:
    return f"/v1/operator/accounts/{account_id}/verification"


async def _shown(ada: Person, bob: Person) -> set[bool]:
    """On the profile as its owner and as another sees it."""
    seen = await bob.request("GET", f"/v1/accounts/{ada.account_id}")
    return {(await ada.request("GET", "/v1/me")).json()["verified"], seen.json()["verified"]}


async def test_a_verified_account_is_shown_as_one_until_it_no_longer_is(
    client: httpx.AsyncClient, river: River
) -> None:
    ada, bob = await person(client, "ada"), await person(client, "bob")
    assert await _shown(ada, bob) == {False}
    answer = await client.put(_path(ada.account_id), headers=_operator(river))
    assert answer.json() == {"account_id": ada.account_id, "verified": True}
    assert await _shown(ada, bob) == {True}
    assert (await client.put(_path(ada.account_id), headers=_operator(river))).status_code == 200
    answer = await client.delete(_path(ada.account_id), headers=_operator(river))
    assert answer.json() == {"account_id": ada.account_id, "verified": False}
    assert await _shown(ada, bob) == {False}


async def test_only_operators_verify_and_only_whom_there_is(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    records = len(river.records)
    assert (await ada.request("PUT", _path(ada.account_id))).status_code == 403
    assert (await client.put(_path(ada.account_id))).status_code == 401
    assert (await client.put(_path("12345"), headers=_operator(river))).status_code == 404
    assert (await client.delete(_path("12345"), headers=_operator(river))).status_code == 404
    assert len(river.records) == records
