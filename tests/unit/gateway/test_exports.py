"""Asking for one's data, and for nobody else's."""

import dataclasses

import httpx
import msgspec
import pytest

from gateway.erasures import mark
from tests.unit.gateway.river import River, person
from tests.unit.gateway_social.world import MemoryObjects


@pytest.fixture
def river() -> River:
    """A gateway with a bucket."""
    river = River()
    river.services = dataclasses.replace(river.services, objects=MemoryObjects())
    return river


async def test_an_export_runs_and_is_then_there_to_fetch(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    asked = await ada.request("POST", "/v1/me/export")
    assert asked.status_code == 202
    assert asked.json()["state"] == "running"
    path = f"/v1/me/exports/{asked.json()['export_id']}"
    assert (await ada.request("GET", path)).json()["url"] is None
    row = await river.vault.exports.get(int(ada.account_id))
    assert row is not None
    finished = msgspec.structs.replace(row, version=1, finished_ms=river.now_ms, size_bytes=7)
    assert await river.vault.exports.move(finished)
    ready = (await ada.request("GET", path)).json()
    assert (ready["state"], ready["size_bytes"]) == ("ready", 7)
    assert ready["url"].endswith(row.object_key)
    assert ready["expires_at"] > ready["requested_at"]


async def test_asking_again_gives_the_same_export(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    answers = [(await ada.request("POST", "/v1/me/export")).json() for _ in range(2)]
    assert answers[0] == answers[1]


async def test_someone_elses_export_is_not_there(client: httpx.AsyncClient) -> None:
    ada, eve = await person(client, "ada"), await person(client, "eve")
    export_id = (await ada.request("POST", "/v1/me/export")).json()["export_id"]
    assert (await eve.request("GET", f"/v1/me/exports/{export_id}")).status_code == 404
    await eve.request("POST", "/v1/me/export")
    assert (await eve.request("GET", f"/v1/me/exports/{export_id}")).status_code == 404


async def test_a_marked_account_gets_no_export(client: httpx.AsyncClient, river: River) -> None:
    ada = await person(client, "ada")
    await mark(river.services, int(ada.account_id))
    answer = await ada.request("POST", "/v1/me/export")
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/account-erased")
    assert await river.vault.exports.get(int(ada.account_id)) is None
