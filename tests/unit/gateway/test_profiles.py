import httpx
import pytest

from tests.unit.gateway.river import River, person


async def test_a_changed_profile_keeps_what_was_left_out(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada", display_name="Ada")
    await ada.request("PATCH", "/v1/me", json={"bio": "Analyst"})
    own = (await ada.request("GET", "/v1/me")).json()
    assert (own["display_name"], own["bio"]) == ("Ada", "Analyst")
    await ada.request("PATCH", "/v1/me", json={"display_name": None})
    own = (await ada.request("GET", "/v1/me")).json()
    assert (own["display_name"], own["bio"]) == (None, "Analyst")


async def test_two_quick_changes_both_hold_when_the_second_carries_the_firsts_position(
    client: httpx.AsyncClient, river: River
) -> None:
    ada = await person(client, "ada", display_name="Ada")
    river.flowing = False
    first = await ada.request("PATCH", "/v1/me", json={"bio": "Analyst"})
    position = {"photolog-position": first.headers["photolog-position"]}
    early = await ada.request("PATCH", "/v1/me", json={"display_name": "A."}, headers=position)
    assert early.status_code == 503
    await river.flow()
    river.flowing = True
    assert (await ada.request("PATCH", "/v1/me", json={"display_name": "A."}, headers=position)).status_code == 200
    own = (await ada.request("GET", "/v1/me")).json()
    assert (own["display_name"], own["bio"]) == ("A.", "Analyst")


async def test_a_profile_is_open_to_everyone_and_shows_the_relationship_to_who_is_signed_in(
    client: httpx.AsyncClient,
) -> None:
    ada, bob = await person(client, "ada", private=True), await person(client, "bob")
    anonymous = (await client.get(f"/v1/accounts/{ada.account_id}")).json()
    assert (anonymous["username"], anonymous["private"], anonymous["relationship"]) == ("ada", True, None)
    await bob.request("PUT", f"/v1/accounts/{ada.account_id}/follow")
    seen = (await bob.request("GET", f"/v1/accounts/{ada.account_id}")).json()
    assert seen["relationship"]["following"] == "pending"
    own = (await ada.request("GET", f"/v1/accounts/{ada.account_id}")).json()
    assert own["relationship"] is None
    assert (await ada.request("GET", "/v1/me")).json()["requests"] == 1


async def test_counts_follow_the_graph(client: httpx.AsyncClient) -> None:
    ada, bob = await person(client, "ada"), await person(client, "bob")
    await bob.request("PUT", f"/v1/accounts/{ada.account_id}/follow")
    assert (await client.get(f"/v1/accounts/{ada.account_id}")).json()["counts"]["followers"] == 1
    assert (await client.get(f"/v1/accounts/{bob.account_id}")).json()["counts"]["following"] == 1


async def test_a_block_hides_each_from_the_other(client: httpx.AsyncClient) -> None:
    ada, bob = await person(client, "ada"), await person(client, "bob")
    await ada.request("PUT", f"/v1/accounts/{bob.account_id}/block")
    for viewer, other in ((ada, bob), (bob, ada)):
        assert (await viewer.request("GET", f"/v1/accounts/{other.account_id}")).status_code == 404
        assert (await viewer.request("GET", f"/v1/accounts/by-username/{other.username}")).status_code == 404


async def test_a_name_finds_its_account_whatever_its_case(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    assert (await client.get("/v1/accounts/by-username/ADA")).json()["id"] == ada.account_id


@pytest.mark.parametrize(
    "path", ["1", "abc", "-1", "99999999999999999999", "by-username/nobody", "by-username/a%00b", "٣"]
)
async def test_what_is_not_there_is_a_404(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/v1/accounts/{path}")
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/not-found"


async def test_an_unchanged_profile_costs_no_bytes(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    first = await ada.request("GET", "/v1/me")
    again = await ada.request("GET", "/v1/me", headers={"if-none-match": f'"other", W/{first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    await ada.request("PATCH", "/v1/me", json={"bio": "new"})
    changed = await ada.request("GET", "/v1/me", headers={"if-none-match": first.headers["etag"]})
    assert changed.status_code == 200


async def test_an_account_too_new_to_be_read_is_asked_for_again(client: httpx.AsyncClient, river: River) -> None:
    river.flowing = False
    ada = await person(client, "ada")
    answer = await ada.request("GET", "/v1/me")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
