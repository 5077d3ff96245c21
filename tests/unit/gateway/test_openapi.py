from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.endpoint import Endpoint
from gateway.routes import ENDPOINTS


@pytest.fixture
async def document(client: httpx.AsyncClient) -> Any:
    """The document as it is served."""
    return (await client.get("/openapi.json")).json()


async def test_it_is_openapi_3_1(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
async def test_every_endpoint_is_in_it(document: Any, endpoint: Endpoint) -> None:
    operation = document["paths"][endpoint.path][endpoint.method.lower()]
    assert str(endpoint.status) in operation["responses"]
    assert ("requestBody" in operation) == (endpoint.body is not None)
    references = {parameter.get("$ref", "").rpartition("/")[2] for parameter in operation["parameters"]}
    assert ("IdempotencyKey" in references) == (endpoint.method != "GET")
    assert "Position" in references
    schemes = {name for option in operation["security"] for name in option}
    wanted = {"account": {"account"}, "operator": {"operator"}, "any": {"account", "operator"}, "grant": {"grant"}}
    assert schemes == wanted.get(endpoint.auth, schemes & {"account"})


async def test_every_endpoint_tells_of_its_limits(document: Any) -> None:
    refused = document["components"]["responses"]["429"]
    assert set(refused["headers"]) == {"RateLimit", "RateLimit-Policy", "Retry-After"}
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["responses"]["429"] == {"$ref": "#/components/responses/429"}
            usual = next(answer for answer in operation["responses"].values() if "$ref" not in answer)
            assert set(usual["headers"]) >= {"RateLimit", "RateLimit-Policy"}


async def test_operations_have_names_of_their_own(document: Any) -> None:
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names)) == len(ENDPOINTS)


async def test_bodies_refuse_unknown_fields_in_writing(document: Any) -> None:
    for endpoint in ENDPOINTS:
        if endpoint.body is not None:
            schema = document["components"]["schemas"][endpoint.body.__name__]
            assert schema["additionalProperties"] is False, endpoint.path
