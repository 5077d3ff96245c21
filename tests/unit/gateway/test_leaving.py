"""Leaving: from the answer on the account is gone for everyone, and nothing in flight or retried gets through."""

import httpx
import pytest

from gateway.erasures import mark
from gateway.signup import resting_hash
from gateway.vault.port import ErasureRow
from photolog.errors import Invalid, StoreUnavailable
from photolog.receipts import Receipt, ReceiptKey, verify_receipt
from photolog.settings import key_bytes
from schemas.events import AccountDeleted
from tests.unit.gateway.river import PASSWORD, Person, River, person

KEY = {"idempotency-key": "6a1c-a-key"}


async def leave(who: Person, password: str = PASSWORD, **rest: dict[str, str]) -> httpx.Response:
    return await who.request("DELETE", "/v1/me", json={"password": password}, **rest)


async def marked(river: River, who: Person) -> None:
    """What the command does first; a crash may follow."""
    await mark(river.services, int(who.account_id))


async def marked_untold(river: River, who: Person) -> None:
    """The mark, by a gateway that died before it told anybody."""
    row = ErasureRow(account_id=int(who.account_id), requested_ms=river.now_ms, step_ms=river.now_ms)
    await river.vault.erasures.begin(row)


async def test_leaving_is_accepted_with_the_place_to_look(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    answer = await leave(ada)
    assert answer.status_code == 202
    assert answer.json()["account_id"] == ada.account_id
    erasure = await client.get(answer.json()["erasure"])
    assert erasure.status_code == 200
    assert erasure.json() | {"requested_at": ""} == {
        "account_id": ada.account_id,
        "state": "running",
        "requested_at": "",
        "finished_at": None,
        "receipt": None,
    }
    assert river.recorded(len(river.records) - 1).event == AccountDeleted(account_id=int(ada.account_id))


async def test_leaving_needs_the_password(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    records = len(river.records)
    answer = await leave(ada, "not the password")
    assert answer.status_code == 403
    assert (answer.json()["type"], answer.json()["field"]) == ("/problems/wrong-password", "password")
    assert len(river.records) == records
    assert (await ada.request("GET", "/v1/me")).status_code == 200


async def test_nobody_sees_the_account_from_the_answer_on(client: httpx.AsyncClient, river: River) -> None:
    ada, bob = await person(client, "ada"), await person(client, "bob")
    await leave(ada)
    unknown = await bob.request("GET", "/v1/accounts/1")
    for path in (f"/v1/accounts/{ada.account_id}", "/v1/accounts/by-username/ada"):
        gone = await bob.request("GET", path)
        assert gone.status_code == 404
        assert gone.json() | {"correlation_id": ""} == unknown.json() | {"correlation_id": ""}
    assert (await bob.request("PUT", f"/v1/accounts/{ada.account_id}/follow")).status_code == 404


@pytest.mark.parametrize("away", [False, True], ids=["cached", "cache away"])
async def test_sessions_and_tokens_end_with_the_answer(client: httpx.AsyncClient, river: River, away: bool) -> None:
    ada = await person(client, "ada")
    await leave(ada)
    river.cache.away = away
    for method, path in (("GET", "/v1/me"), ("GET", "/v1/sessions"), ("PUT", "/v1/me/privacy")):
        refused = await ada.request(method, path)
        assert refused.status_code == 401
        assert refused.json()["type"] == "/problems/session-ended"
    refreshed = await client.post("/v1/sessions/refresh", json={"refresh_token": ada.tokens["refresh_token"]})
    assert refreshed.status_code == 401


async def test_logging_in_is_refused_as_for_an_unknown_name(client: httpx.AsyncClient) -> None:
    await leave(await person(client, "ada"))
    answers = [
        await client.post("/v1/sessions", json={"username": name, "password": PASSWORD}) for name in ("ada", "nobody")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    one, other = (answer.json() | {"correlation_id": ""} for answer in answers)
    assert one == other


async def test_a_marked_account_appends_nothing_though_its_session_is_alive(
    client: httpx.AsyncClient, river: River
) -> None:
    ada = await person(client, "ada")
    assert (await ada.request("GET", "/v1/me")).status_code == 200
    await marked(river, ada)
    await refused(river, ada)
    assert (await ada.request("GET", "/v1/me")).status_code == 200, "until its row says so, too"


async def refused(river: River, who: Person) -> None:
    """A command of a marked account is, and appends nothing."""
    records = len(river.records)
    answer = await who.request("PATCH", "/v1/me", json={"bio": "still here"})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/account-erased")
    assert len(river.records) == records


async def test_a_session_that_was_opened_after_the_mark_appends_nothing(
    client: httpx.AsyncClient, river: River
) -> None:
    ada = await person(client, "ada")
    await marked(river, ada)
    await refused(river, await ada.log_in())


async def test_a_mark_holds_while_the_cache_is_away(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    await marked(river, ada)
    river.cache.away = True
    await refused(river, ada)


async def test_a_mark_that_nobody_was_told_of_is_found_within_a_sessions_life_in_the_cache(
    client: httpx.AsyncClient, river: River
) -> None:
    ada = await person(client, "ada")
    assert (await ada.request("GET", "/v1/me")).status_code == 200
    await marked_untold(river, ada)
    river.now_ms += river.settings.limits.session_cache_seconds * 1_000
    await refused(river, ada)


async def test_nobody_is_told_of_a_mark_that_not_everyone_knows(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    records = len(river.records)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(river.cache, "merge", _away)
        assert (await leave(ada)).status_code == 503
    assert len(river.records) == records
    assert (await leave(ada)).status_code == 202


async def _away(*_: object) -> None:
    raise StoreUnavailable("it is away")


async def test_a_retry_of_an_earlier_command_appends_nothing(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    assert (await ada.request("PATCH", "/v1/me", json={"bio": "x"}, headers=KEY)).status_code == 200
    await marked(river, ada)
    records = len(river.records)
    answer = await ada.request("PATCH", "/v1/me", json={"bio": "x"}, headers=KEY)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/account-erased")
    assert len(river.records) == records


async def test_a_retried_sign_up_does_not_bring_the_account_back(client: httpx.AsyncClient, river: River) -> None:
    body = {"username": "ada", "password": PASSWORD}
    await client.post("/v1/accounts", json=body, headers=KEY)
    ada = await Person(client, "ada").log_in()
    await leave(ada)
    records = len(river.records)
    answer = await client.post("/v1/accounts", json=body, headers=KEY)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/account-erased")
    assert len(river.records) == records


async def test_nothing_is_appended_while_the_mark_cannot_be_read(
    client: httpx.AsyncClient, river: River, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await person(client, "ada")
    records = len(river.records)

    monkeypatch.setattr(river.vault.erasures, "get", _away)
    assert (await ada.request("PATCH", "/v1/me", json={"bio": "x"})).status_code == 503
    assert len(river.records) == records


async def test_leaving_is_repeated_after_a_crash(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    river.log_away = True
    assert (await leave(ada, headers=KEY)).status_code == 503
    river.log_away = False
    assert (await leave(ada, headers=KEY)).status_code == 202


async def test_leaving_is_not_acknowledged_before_everyone_knows(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    river.flowing = False
    answer = await leave(ada)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/position-timeout")


async def test_an_operator_erases_a_suspended_account(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    operator = {"authorization": f"Bearer {river.services.tokens.for_operator('grace', 600)}"}
    path = f"/v1/operator/accounts/{ada.account_id}"
    await client.put(f"{path}/suspension", json={"reason": "spam"}, headers=operator)
    assert (await leave(ada)).status_code == 403
    assert (await client.delete(path, headers=operator)).status_code == 202
    assert (await ada.request("GET", "/v1/me")).status_code == 401
    assert (await client.delete("/v1/operator/accounts/1", headers=operator)).status_code == 404


@pytest.mark.parametrize("address", ["", "x", "AAAA", "A" * 32, "é", "/v1"])
async def test_an_address_that_we_did_not_give_is_not_there(client: httpx.AsyncClient, address: str) -> None:
    assert (await client.get(f"/v1/erasures/{address}")).status_code == 404


async def test_a_resting_name_is_taken(client: httpx.AsyncClient, river: River) -> None:
    await river.vault.usernames.rest(resting_hash(key_bytes(river.settings.secrets.hash_key), "ada"))
    answer = await client.post("/v1/accounts", json={"username": "Ada", "password": PASSWORD})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/username-taken")


async def test_a_name_that_begins_to_rest_during_a_sign_up_is_let_go_again(
    client: httpx.AsyncClient, river: River
) -> None:
    usernames, name_hash = river.vault.usernames, resting_hash(key_bytes(river.settings.secrets.hash_key), "ada")
    reserve = usernames.reserve

    async def released_meanwhile(row: object) -> object:
        await usernames.rest(name_hash)
        return await reserve(row)  # type: ignore[arg-type]

    usernames.reserve = released_meanwhile  # type: ignore[method-assign,assignment]
    answer = await client.post("/v1/accounts", json={"username": "ada", "password": PASSWORD})
    assert answer.status_code == 409
    assert await usernames.get("ada") is None


async def test_a_receipt_is_verified_with_the_served_key(client: httpx.AsyncClient, river: River) -> None:
    (public,) = (await client.get("/v1/erasures/keys")).json()["keys"]
    assert "d" not in public
    receipt = Receipt(account_id="7", requested_at="a", erased_at="b", removed={"rows": 2}, positions="likes/0@4")
    signed = ReceiptKey(key_bytes(river.settings.secrets.master_key)).sign(receipt)
    assert verify_receipt(public, signed) == receipt
    head, _, tail = signed.split(".")
    with pytest.raises(Invalid):
        verify_receipt(public, f"{head}.{'A' * 20}.{tail}")
    with pytest.raises(Invalid):
        verify_receipt(ReceiptKey(b"o" * 32).public, signed)


async def test_a_session_is_not_believed_for_longer_than_it_may_live_in_the_cache(
    client: httpx.AsyncClient, river: River
) -> None:
    ada = await person(client, "ada")
    authentication = river.services.authentication
    authentication._clock_ms = lambda: river.now_ms + 3_600_000  # a gateway whose clock is ahead
    assert (await ada.request("GET", "/v1/me")).status_code == 200
    authentication._clock_ms = lambda: river.now_ms
    await marked_untold(river, ada)
    river.now_ms += 2 * river.settings.limits.session_cache_seconds * 1_000
    await refused(river, ada)
