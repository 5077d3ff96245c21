"""How often whom may ask: by account, by address, and what the answers say of it."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
import structlog

from gateway.endpoint import Endpoint
from gateway.routes import ENDPOINTS
from photolog.settings import LimitSettings
from tests.unit.gateway.river import PASSWORD, WIDE, River, person

POLICY = re.compile(r'"(?P<name>[a-z-]+)";q=(?P<q>\d+);w=(?P<w>\d+)')
LIMIT = re.compile(r'"(?P<name>[a-z-]+)";r=(?P<r>\d+);t=(?P<t>\d+)')


def limits(**rates: Any) -> LimitSettings:
    """Wide rates but for these."""
    return LimitSettings.model_validate({**dict(WIDE), **rates})


def left(answer: httpx.Response) -> Mapping[str, tuple[int, int]]:
    """What an answer says is left, and in which time, by policy."""
    return {found["name"]: (int(found["r"]), int(found["t"])) for found in LIMIT.finditer(answer.headers["ratelimit"])}


async def test_an_answer_says_what_is_allowed_and_what_is_left() -> None:
    river = River(limits=limits(rate_read="3/60", rate_address="1000/60"))
    async with river.client() as client:
        ada = await person(client, "ada")
        answers = [await ada.request("GET", "/v1/sessions") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"read";q=3;w=60, "address";q=1000;w=60'}
    assert [left(answer) for answer in answers] == [{"read": (2, 40)}, {"read": (1, 20)}, {"read": (0, 20)}]


async def test_one_request_too_many_is_a_429_that_says_why_and_when_to_come_back() -> None:
    river = River(limits=limits(rate_write="2/60"))
    async with river.client() as client:
        ada = await person(client, "ada")
        for private in (True, False):
            assert (await ada.request("PUT", "/v1/me/privacy", json={"private": private})).status_code == 200
        appended = len(river.records)
        refused = await ada.request("PUT", "/v1/me/privacy", json={"private": True})
        assert (refused.status_code, len(river.records)) == (429, appended)
        assert refused.headers["content-type"] == "application/problem+json"
        problem = refused.json()
        assert (problem["type"], problem["violated-policies"]) == ("/problems/quota-exceeded", ["write"])
        assert refused.headers["retry-after"] == "30"
        assert left(refused) == {"write": (0, 30)}
        assert (await ada.request("GET", "/v1/sessions")).status_code == 200, "another class has its own"
        river.now_ms += 30_000
        assert (await ada.request("PUT", "/v1/me/privacy", json={"private": True})).status_code == 200


async def test_an_account_has_its_rate_wherever_it_is_and_nobody_elses() -> None:
    river = River(limits=limits(rate_read="2/60"))
    async with river.client("198.51.100.1") as here, river.client("198.51.100.2") as there:
        ada, bob = await person(here, "ada"), await person(here, "bob")
        for client in (here, there):
            assert (await client.get("/v1/sessions", headers=ada.authorization)).status_code == 200
        assert (await there.get("/v1/sessions", headers=ada.authorization)).status_code == 429
        assert (await bob.request("GET", "/v1/sessions")).status_code == 200


async def test_who_has_no_account_is_known_by_the_address() -> None:
    river = River(limits=limits(rate_read="2/60"))
    async with river.client("198.51.100.1") as here, river.client("198.51.100.2") as there:
        ada = await person(here, "ada")
        path = f"/v1/accounts/{ada.account_id}"
        assert [(await here.get(path)).status_code for _ in range(3)] == [200, 200, 429]
        assert (await there.get(path)).status_code == 200
        assert (await ada.request("GET", path)).status_code == 200, "an account is not known by its address"


async def test_all_accounts_of_an_address_share_a_wide_rate() -> None:
    river = River(limits=limits(rate_address="6/60"))
    async with river.client("198.51.100.1") as here, river.client("198.51.100.2") as there:
        ada, bob = await person(here, "ada"), await person(here, "bob")
        for one in (ada, bob):
            assert (await one.request("GET", "/v1/sessions")).status_code == 200
        refused = await ada.request("GET", "/v1/sessions")
        assert (refused.status_code, refused.json()["violated-policies"]) == (429, ["address"])
        assert left(refused) == {"address": (0, 10)}
        before = left(await there.get("/v1/sessions", headers=ada.authorization))["read"][0]
        await ada.request("GET", "/v1/sessions")
        after = left(await there.get("/v1/sessions", headers=ada.authorization))["read"][0]
        assert before - after == 1, "what the address refused cost the account nothing"


@pytest.mark.parametrize("authorization", ["Bearer x", "Basic YTpi", ""])
async def test_tokens_that_are_not_good_cost_the_address(authorization: str) -> None:
    river = River(limits=limits(rate_address="3/60"))
    async with river.client() as client:
        headers = {"authorization": authorization}
        statuses = [(await client.get("/v1/me", headers=headers)).status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]


async def test_a_session_that_ended_costs_its_account_nothing() -> None:
    river = River(limits=limits(rate_read="3/60"))
    async with river.client() as client:
        ada = await person(client, "ada")
        stale = ada.authorization
        await ada.log_in()
        assert (await client.delete("/v1/sessions/current", headers=stale)).status_code == 204
        assert [(await client.get("/v1/sessions", headers=stale)).status_code for _ in range(5)] == [401] * 5
        assert (await ada.request("GET", "/v1/sessions")).status_code == 200


async def test_a_retry_under_its_key_counts_like_any_request() -> None:
    river = River(limits=limits(rate_write="3/60"))
    async with river.client() as client:
        ada = await person(client, "ada")
        headers = {"idempotency-key": "the-same"}
        answers = [
            await ada.request("PUT", "/v1/me/privacy", json={"private": True}, headers=headers) for _ in range(4)
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]


async def test_what_watches_and_describes_the_gateway_is_never_refused() -> None:
    river = River(limits=limits(rate_read="1/60", rate_address="1/60"))
    async with river.client() as client:
        assert (await client.get("/v1/me")).status_code == 401
        assert (await client.get("/v1/me")).status_code == 429
        for path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
            answers = [await client.get(path) for _ in range(5)]
            assert {answer.status_code for answer in answers} == {200}, path
            assert "ratelimit" not in answers[0].headers


async def test_errors_say_what_is_left_too() -> None:
    river = River(limits=limits(rate_read="9/60"))
    async with river.client() as client:
        ada = await person(client, "ada")
        missing = await ada.request("GET", "/v1/accounts/77")
    assert missing.status_code == 404
    assert left(missing) == {"read": (8, 54)}


async def test_a_setting_switches_it_off() -> None:
    river = River(limits=limits(rates=False, rate_read="1/60", rate_address="1/60", rate_guesses="1/60"))
    async with river.client() as client:
        ada = await person(client, "ada")
        answers = [await ada.request("GET", "/v1/sessions") for _ in range(5)]
        wrong = {"username": "ada", "password": "not the password"}
        guesses = [await client.post("/v1/sessions", json=wrong) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.status_code for answer in guesses} == {401}
    assert "ratelimit" not in answers[0].headers


async def test_refusals_are_counted_and_logged_by_class_without_the_address() -> None:
    river = River(limits=limits(rate_signup="1/3600"))
    address = "198.51.100.77"
    async with river.client(address) as client:
        with structlog.testing.capture_logs() as logs:
            for name in ("ada", "bob"):
                answer = await client.post("/v1/accounts", json={"username": name, "password": PASSWORD})
        metrics = (await client.get("/metrics")).text
    assert answer.status_code == 429
    (line,) = [line for line in logs if line["event"] == "too-soon"]
    assert (line["rate_class"], line["policies"], line["retry_after_seconds"]) == ("signup", ("signup",), 3600)
    assert 'photolog_requests_refused_total{policy="signup",rate_class="signup"}' in metrics
    assert address not in str(logs)
    assert not any(address in key for key in river.buckets._full_at_us)


async def test_pages_of_other_origins_may_read_the_headers() -> None:
    async with River(cors_origins=["https://app.test"]).client() as client:
        answer = await client.get("/v1/me", headers={"origin": "https://app.test"})
    exposed = {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert exposed >= {"RateLimit", "RateLimit-Policy", "Retry-After"}


def rate_of(method: str, path: str) -> str:
    return next(one.rate_class for one in ENDPOINTS if (one.method, one.path) == (method, path))


def test_endpoints_are_of_the_class_that_they_should_be() -> None:
    assert rate_of("GET", "/v1/feed") == "read"
    assert rate_of("GET", "/v1/media/{media_id}/{variant}") == "media"
    assert rate_of("PUT", "/v1/me/privacy") == "write"
    assert rate_of("PUT", "/v1/accounts/{account_id}/follow") == "graph"
    assert rate_of("POST", "/v1/posts/{post_id}/comments") == "comment"
    assert rate_of("POST", "/v1/uploads") == "upload"
    assert rate_of("POST", "/v1/sessions") == rate_of("PUT", "/v1/me/password") == "login"
    assert rate_of("POST", "/v1/sessions/refresh") == "refresh"
    assert rate_of("POST", "/v1/accounts") == "signup"


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
async def test_every_endpoint_is_limited(endpoint: Endpoint) -> None:
    """Whatever is wrong with the request: it is turned away before anything is done for it."""
    river = River(limits=limits(rate_address="1/60"))
    async with river.client() as client:
        path = re.sub(r"\{[a-z_]+\}", "7", endpoint.path)
        first = await client.request(endpoint.method, path)
        again = await client.request(endpoint.method, path)
    assert first.status_code not in (429, 500), first.text
    assert again.status_code == 429
    assert POLICY.findall(again.headers["ratelimit-policy"])[0][0] == endpoint.rate_class
    assert int(again.headers["retry-after"]) == 60
