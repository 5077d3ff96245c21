"""Requests made from the very document that a real gateway serves, on real engines: no 5xx, each answer as documented.

`tests/unit/gateway/test_fuzz.py` asks more of the same in memory; here the sockets, the server and the engines take
part. A position that no model has come to is rightly a 503, so none is sent.
"""

import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.endpoint import Endpoint
from gateway.routes import ENDPOINTS
from tests.integration.fault_world import PASSWORD

EXAMPLES = 6
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
_MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)


@pytest.fixture(scope="module")
def document(hasty_gateway: str) -> Any:
    """What the gateway serves."""
    return schemathesis.openapi.from_url(f"{hasty_gateway}/openapi.json")


@pytest.fixture(scope="module")
def client(hasty_gateway: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=hasty_gateway, timeout=30) as opened:
        yield opened


class Somebody:
    """An account that the requests are made under; it may end itself, and is then another."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._name = ""

    def token(self) -> str:
        """The access token of a new session."""
        tokens = self._client.post("/v1/sessions", json=self._credentials)
        if not tokens.is_success:
            self._name = f"fuzz_{secrets.token_hex(6)}"
            assert self._client.post("/v1/accounts", json=self._credentials).status_code == 201
            tokens = self._client.post("/v1/sessions", json=self._credentials)
        return str(tokens.json()["access_token"])

    @property
    def _credentials(self) -> dict[str, str]:
        return {"username": self._name, "password": PASSWORD}


@pytest.fixture(scope="module")
def somebody(client: httpx.Client) -> Somebody:
    return Somebody(client)


def test_the_document_names_every_endpoint(document: Any) -> None:
    served = {(method.upper(), path) for path in document.raw_schema["paths"] for method in document[path]}
    assert served >= {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
def test_no_request_breaks_a_real_gateway(
    document: Any, client: httpx.Client, somebody: Somebody, endpoint: Endpoint
) -> None:
    operation = document[endpoint.path][endpoint.method]
    token = somebody.token()
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in _MODES))

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), database=None)
    @given(case=cases, signed_in=st.sampled_from([True, True, True, False]))
    def ask(case: Any, signed_in: bool) -> None:
        answer = _ask(client, case, token if signed_in else None)
        case.validate_response(schemathesis.Response.from_any(answer), checks=list(CHECKS))

    ask()


def _ask(client: httpx.Client, case: Any, token: str | None) -> httpx.Response:
    sent = case.as_transport_kwargs(base_url=str(client.base_url))
    sent.pop("cookies", None)
    headers = {name: value for name, value in sent.pop("headers").items() if name != "Photolog-Position"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if isinstance(sent.get("data"), bytes | str):
        sent["content"] = sent.pop("data")
    raw = {name.encode("latin-1"): value.strip().encode("latin-1") for name, value in headers.items()}
    return client.request(headers=raw, **sent)
