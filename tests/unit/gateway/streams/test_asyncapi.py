"""/asyncapi.json is AsyncAPI 3, by its own JSON Schema (asyncapi_3.0.0.json says whence), and tells what is sent."""

import json
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from gateway.asyncapi import document
from gateway.streams.desk import SubscribeQuery
from gateway.streams.filters import PUBLIC
from gateway.streams.subscription import DETAILS
from schemas.topics import topic_of
from tests.unit.gateway.streams.scene import Scene
from tests.unit.gateway.streams.test_subscriptions import EVENTS, busy_scene, everything

SCHEMA = json.loads((Path(__file__).parent / "asyncapi_3.0.0.json").read_text())


@pytest.fixture
async def served() -> Any:
    """The document as it is served, to somebody without any token."""
    scene = Scene()
    async with scene.river.client() as client:
        answer: httpx.Response = await client.get("/asyncapi.json")
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


async def test_it_is_asyncapi_3(served: Any) -> None:
    jsonschema.Draft7Validator(SCHEMA).validate(served)
    assert served["asyncapi"] == "3.0.0"


def test_its_schema_finds_what_is_wrong() -> None:
    broken = json.loads(document("1", "https://photolog.test"))
    broken["operations"]["sendToSubscriber"]["action"] = "shout"
    assert not jsonschema.Draft7Validator(SCHEMA).is_valid(broken)


async def test_every_reference_leads_somewhere(served: Any) -> None:
    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if "$ref" in part else []
            return own + [found for value in part.values() for found in references(value)]
        return [found for value in part for found in references(value)] if isinstance(part, list) else []

    for reference in references(served):
        place = served
        for name in reference.removeprefix("#/").split("/"):
            place = place[name]
    assert len(references(served)) > len(PUBLIC)


async def test_every_public_type_is_in_both_channels_with_its_topic(served: Any) -> None:
    messages = {message["name"]: message for message in served["components"]["messages"].values()}
    assert messages.keys() == {*PUBLIC, "stream.heartbeat", "stream.closing"}
    for name, event in PUBLIC.items():
        assert messages[name]["tags"] == [{"name": topic_of(event).name}]
    for channel in served["channels"].values():
        assert len(channel["messages"]) == len(messages)
    query = served["channels"]["subscribe"]["bindings"]["ws"]["query"]["properties"]
    assert query.keys() == set(SubscribeQuery.__struct_fields__)
    closing = messages["stream.closing"]["payload"]["properties"]["reason"]["enum"]
    assert closing == sorted(DETAILS)


async def test_what_is_sent_is_as_it_says(served: Any) -> None:
    payloads = {message["name"]: message["payload"] for message in served["components"]["messages"].values()}
    scene, _, _ = await busy_scene()
    events = await everything(scene, await scene.grant(), EVENTS)
    for event in events:
        jsonschema.validate(event, payloads[event["type"]] | {"additionalProperties": False})


async def test_the_list_of_types_is_the_same_dictionary(served: Any) -> None:
    scene = Scene()
    async with scene.river.client() as client:
        listed = (await client.get("/v1/streams")).json()["types"]
    assert [one["type"] for one in listed] == list(PUBLIC)
    for one in listed:
        assert [field["name"] for field in one["fields"]] == list(one["data_schema"]["properties"])
        assert all(field["meaning"] for field in one["fields"])
        assert one["retention_seconds"] is None
