"""What every request goes through, whatever it asks for."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
import structlog

from gateway.endpoint import Answer, Call, Endpoint
from gateway.services import Services
from photolog.errors import Corruption
from tests.unit.gateway.river import PASSWORD, River, person

SIGN_UP = {"username": "ada", "password": PASSWORD}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_malformed_json_is_a_400(client: httpx.AsyncClient, river: River) -> None:
    for body in (b"{", b"", b"\xff\xfe", b"[" * 100_000):
        answer = await client.post("/v1/accounts", content=body, headers={"content-type": "application/json"})
        assert answer.status_code in (400, 413), body[:10]
        assert answer.headers["content-type"] == "application/problem+json"
    assert river.records == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**SIGN_UP, "admin": True}, "admin"),
        ({"username": "ada"}, "password"),
        ({**SIGN_UP, "private": "yes"}, "private"),
        ({**SIGN_UP, "username": 7}, "username"),
    ],
)
async def test_a_body_that_is_not_as_declared_is_a_422_that_names_the_field(
    client: httpx.AsyncClient, river: River, body: object, field: str
) -> None:
    answer = await client.post("/v1/accounts", json=body)
    problem = answer.json()
    assert answer.status_code == problem["status"] == 422
    assert problem["type"] == "/problems/invalid-body"
    assert problem["field"] == field
    assert problem["correlation_id"] == answer.headers["x-request-id"]
    assert river.records == []


async def test_an_oversized_body_is_a_413_whether_or_not_its_length_is_announced(
    client: httpx.AsyncClient, river: River
) -> None:
    body = json.dumps({**SIGN_UP, "display_name": "x" * 70_000}).encode()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 10_000):
            yield body[start : start + 10_000]

    for content in (body, chunks()):
        answer = await client.post("/v1/accounts", content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 413
        assert answer.json()["type"] == "/problems/body-too-large"
    assert river.records == []


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/json2"])
async def test_another_content_type_is_a_415(client: httpx.AsyncClient, content_type: str) -> None:
    answer = await client.post("/v1/accounts", content=json.dumps(SIGN_UP), headers={"content-type": content_type})
    assert answer.status_code == 415


async def test_a_charset_is_allowed(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json; charset=utf-8"}
    assert (await client.post("/v1/accounts", content=json.dumps(SIGN_UP), headers=headers)).status_code == 201


async def test_a_body_where_none_belongs_is_refused(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    answer = await ada.request("DELETE", "/v1/sessions/current", json={"all": True})
    assert answer.status_code == 422


async def test_unknown_paths_and_methods_are_problems_too(client: httpx.AsyncClient) -> None:
    missing = await client.get("/v1/nothing")
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/not-found")
    slash = await client.get("/v1/me/")
    assert slash.status_code == 404
    wrong = await client.delete("/v1/accounts")
    assert (wrong.status_code, wrong.json()["type"]) == (405, "/problems/method-not-allowed")
    assert wrong.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer x", "Basic YTpi", "Bearer a.b.c", f"Bearer {'x' * 5_000}", "Bearer é"]
)
async def test_a_bad_token_is_a_401(client: httpx.AsyncClient, authorization: str) -> None:
    answer = await client.get("/v1/me", headers={b"authorization": authorization.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_bad_token_is_a_401_also_where_none_is_needed(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    answer = await client.get(f"/v1/accounts/{ada.account_id}", headers={"authorization": "Bearer x"})
    assert answer.status_code == 401


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit=1&limit=2", "page=2", "cursor=abc", "%ff"])
async def test_a_bad_query_is_refused(client: httpx.AsyncClient, query: str) -> None:
    ada = await person(client, "ada")
    answer = await ada.request("GET", f"/v1/me/blocks?{query}")
    assert answer.status_code in (400, 422)


async def test_a_sane_correlation_id_comes_back_and_is_in_the_events_headers(
    client: httpx.AsyncClient, river: River
) -> None:
    headers = {"x-request-id": "mobile-7f3a.42", "traceparent": TRACE}
    answer = await client.post("/v1/accounts", json=SIGN_UP, headers=headers)
    assert answer.headers["x-request-id"] == "mobile-7f3a.42"
    event_headers = dict(river.records[0].headers)
    assert event_headers["correlation_id"] == b"mobile-7f3a.42"
    assert event_headers["traceparent"] == TRACE.encode()
    assert event_headers["ce_type"] == b"account.created"


@pytest.mark.parametrize("sent", ["short", "x" * 129, "white space", "new\\nline!", "<script>alert</script>"])
async def test_any_other_correlation_id_is_replaced(client: httpx.AsyncClient, sent: str) -> None:
    answer = await client.get("/healthz", headers={"x-request-id": sent, "traceparent": "00-bad"})
    assert answer.headers["x-request-id"] != sent
    assert len(answer.headers["x-request-id"]) == 32


async def test_every_answer_has_the_security_headers(client: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/v1/nothing", "/v1/me"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "max-age" in headers["strict-transport-security"]
        assert headers["cache-control"] == "no-store"


async def _break(services: Services, call: Call) -> Answer:
    raise Corruption("the password is hunter2")


async def test_what_breaks_on_our_side_is_a_500_without_its_inside_which_is_logged() -> None:
    river = River(endpoints=[Endpoint("GET", "/v1/broken", _break, "Breaks", "test", auth="none")])
    async with river.client() as client:
        with structlog.testing.capture_logs() as logs:
            answer = await client.get("/v1/broken")
    assert answer.status_code == 500
    assert answer.json()["type"] == "/problems/internal"
    assert "hunter2" not in answer.text
    (broken,) = [line for line in logs if line["event"] == "request-failed"]
    assert isinstance(broken["exc_info"], Corruption)


async def test_requests_are_counted_by_route_and_status(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    await client.get(f"/v1/accounts/{ada.account_id}")
    text = (await client.get("/metrics")).text
    assert 'photolog_http_requests_total{method="GET",route="/v1/accounts/{account_id}",status="200"}' in text
    assert 'photolog_appends_total{topic="accounts"}' in text


async def test_other_origins_are_refused_until_a_setting_names_them(client: httpx.AsyncClient) -> None:
    asked = {"origin": "https://app.test", "access-control-request-method": "POST"}
    assert "access-control-allow-origin" not in (await client.get("/healthz", headers=asked)).headers
    async with River(cors_origins=["https://app.test"]).client() as open_client:
        preflight = await open_client.options("/v1/accounts", headers=asked)
        assert preflight.headers["access-control-allow-origin"] == "https://app.test"
        other = await open_client.get("/healthz", headers={"origin": "https://other.test"})
        assert "access-control-allow-origin" not in other.headers


async def test_health_does_not_need_engines(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "alive"}


async def test_head_is_answered_like_get(client: httpx.AsyncClient) -> None:
    ada = await person(client, "ada")
    assert (await ada.request("HEAD", "/v1/me")).status_code == 200
