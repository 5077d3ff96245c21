"""Requests that nobody thought of, made from the OpenAPI document: none breaks us, and each answer is as documented."""

import asyncio
import contextlib
import json
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.endpoint import Endpoint
from gateway.openapi import document
from gateway.routes import ENDPOINTS
from tests.unit.gateway.river import Person, River, person

EXAMPLES = 8
_DOCUMENT = schemathesis.openapi.from_dict(json.loads(document(ENDPOINTS, "test", "https://photolog.test")))
_MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
def test_an_unforeseen_request_gets_an_answer_as_documented(endpoint: Endpoint) -> None:
    operation = _DOCUMENT[endpoint.path][endpoint.method]
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in _MODES))
    with asyncio.Runner() as runner:
        world = runner.run(_World.begin())

        @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
        @given(case=cases, known=st.booleans())
        def ask(case: Any, known: bool) -> None:
            answer = runner.run(world.ask(endpoint, case, known))
            assert answer.status_code != 500, answer.text
            if answer.status_code >= 400:
                assert answer.headers["content-type"] == "application/problem+json"
            assert str(answer.status_code) in operation.definition.raw["responses"]
            operation.validate_response(schemathesis.Response.from_any(answer))

        ask()
        runner.run(world.closing.aclose())


class _World:
    """Two people at a gateway."""

    def __init__(
        self, river: River, client: httpx.AsyncClient, bob: Person, closing: contextlib.AsyncExitStack
    ) -> None:
        self.closing = closing
        self._river = river
        self._client = client
        self._bob = bob

    @classmethod
    async def begin(cls) -> "_World":
        closing = contextlib.AsyncExitStack()
        river = River(position_wait_ms=0)
        client = await closing.enter_async_context(river.client())
        await Person(client, "ada").sign_up()
        return cls(river, client, await person(client, "bob"), closing)

    async def ask(self, endpoint: Endpoint, case: Any, known: bool) -> httpx.Response:
        """Send a case under a fresh session; `known` puts somebody's id where an account's belongs."""
        if known and "account_id" in (case.path_parameters or {}):
            case.path_parameters["account_id"] = self._bob.account_id
        sent = case.as_transport_kwargs(base_url="https://photolog.test")
        sent.pop("cookies", None)
        sent["headers"].pop("Photolog-Position", None)  # test_waiting.py tries those
        headers = {**sent.pop("headers"), **await self._authorization(endpoint)}
        raw = {name.encode("latin-1"): value.encode("latin-1") for name, value in headers.items()}
        if isinstance(sent.get("data"), bytes | str):
            sent["content"] = sent.pop("data")
        return await self._client.request(headers=raw, **sent)

    async def _authorization(self, endpoint: Endpoint) -> dict[str, str]:
        match endpoint.auth:
            case "none":
                return {}
            case "operator":
                return {"authorization": f"Bearer {self._river.services.tokens.for_operator('grace', 60)}"}
        return (await Person(self._client, "ada").log_in()).authorization
