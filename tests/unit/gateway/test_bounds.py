"""Everything that a client may send has a bound, and so has how much of it is done at once."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from gateway import middleware, passwords
from gateway.endpoint import PAGE_MAX, Answer, Call, Endpoint
from gateway.openapi import document
from gateway.passwords import Passwords
from gateway.request_parts import QUERY_PARAMETERS_MAX
from gateway.routes import ENDPOINTS
from gateway.services import Services
from photolog.errors import StoreUnavailable
from photolog.positions import POSITIONS_MAX
from tests.unit.gateway.river import River, person

_DOCUMENT = json.loads(document(ENDPOINTS, "test", "https://photolog.test"))
_UNBOUNDED = {
    "string": ("maxLength", "enum", "const", "pattern"),
    "array": ("maxItems",),
    "object": ("properties",),
}


def unbounded(schema: Any, place: str) -> Iterator[str]:
    """Places of a schema where a value may be as long as its sender likes. Numbers are bounded by the body's size."""
    if "$ref" in schema:
        schema = _DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    kind = schema.get("type")
    if kind in _UNBOUNDED and not any(bound in schema for bound in _UNBOUNDED[kind]):
        yield f"{place} ({kind})"
    for name, inner in schema.get("properties", {}).items():
        yield from unbounded(inner, f"{place}.{name}")
    for inner in (*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())):
        yield from unbounded(inner, place)


def operations() -> Iterator[tuple[str, Any]]:
    for path, methods in _DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


@pytest.mark.parametrize("name", [name for name, _ in operations()])
def test_every_field_of_every_body_and_query_is_bounded(name: str) -> None:
    operation = dict(operations())[name]
    found: list[str] = []
    if "requestBody" in operation:
        found += unbounded(operation["requestBody"]["content"]["application/json"]["schema"], "body")
    for parameter in operation["parameters"]:
        if parameter.get("in") == "query":
            found += unbounded(parameter["schema"], parameter["name"])
    assert found == []


def test_every_page_has_the_same_bound() -> None:
    limits = [
        parameter["schema"]
        for path, operation in operations()
        for parameter in operation["parameters"]
        if parameter.get("name") == "limit" and "trending" not in path  # one list, kept whole
    ]
    assert limits
    assert {(limit["minimum"], limit["maximum"]) for limit in limits} == {(1, PAGE_MAX)}


@pytest.mark.parametrize(
    "query",
    ["limit=2&cursor=" + "x" * 4_096, "&".join(f"p{number}=" for number in range(QUERY_PARAMETERS_MAX + 1))],
    ids=["too long", "too many parameters"],
)
async def test_a_query_has_a_bound(client: httpx.AsyncClient, query: str) -> None:
    ada = await person(client, "ada")
    answer = await ada.request("GET", f"/v1/me/blocks?{query}")
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed-query")


async def test_positions_and_keys_have_bounds(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    positions = ",".join(f"accounts/{number}@1" for number in range(POSITIONS_MAX + 1))
    answer = await ada.request("GET", "/v1/sessions", headers={"photolog-position": positions})
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed-position")
    answer = await ada.request("PUT", "/v1/me/privacy", json={"private": True}, headers={"idempotency-key": "k" * 129})
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed-idempotency-key")


async def test_no_more_requests_are_served_at_once_than_a_process_can_bear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "_IN_FLIGHT_MAX", 3)
    arrived, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def wait(services: Services, call: Call) -> Answer:
        arrived.release()
        await go_on.wait()
        return Answer()

    river = River(endpoints=[Endpoint("GET", "/v1/slow", wait, "Waits", "test", auth="none", status=204)])
    async with river.client() as client:
        waiting = [asyncio.create_task(client.get("/v1/slow")) for _ in range(3)]
        for _ in waiting:
            await arrived.acquire()
        refused = await client.get("/v1/slow")
        go_on.set()
        answers = await asyncio.gather(*waiting)
        assert (await client.get("/v1/slow")).status_code == 204
    assert {answer.status_code for answer in answers} == {204}
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/overloaded")
    assert refused.headers["retry-after"]


async def test_no_more_passwords_are_hashed_at_once_than_there_are_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_WAITING_MAX", 4)
    hashing, most = 0, 0

    class Watched(PasswordHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            nonlocal hashing, most
            hashing += 1
            most = max(most, hashing)
            try:
                return super().hash(password, salt=salt)
            finally:
                hashing -= 1

    checked = Passwords(Watched(time_cost=1, memory_cost=8, parallelism=1))
    outcomes = await asyncio.gather(*(checked.hash("a password") for _ in range(20)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert len(refused) == 16
    assert all(isinstance(error, StoreUnavailable) for error in refused)
    assert most <= passwords._THREADS
    assert isinstance(await checked.hash("a password"), str), "there is room again"
    checked.close()
