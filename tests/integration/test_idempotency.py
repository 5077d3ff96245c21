"""Idempotency keys on the real engines: whatever dies or races, one logical event and one answer."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest

from photolog.log.record import StoredRecord
from photolog.settings import Settings
from tests.integration.gateways import UNWAITED, Gateway, Person, gateway, read_topic


@pytest.fixture(scope="module")
async def gateways(migrated: dict[str, str], settings: Settings) -> AsyncIterator[tuple[Gateway, Gateway]]:
    """Two gateways."""
    async with gateway(settings) as one, gateway(settings) as other:
        yield one, other


def _privacy_changes(settings: Settings, person: Person) -> list[StoredRecord]:
    def wanted(record: StoredRecord) -> bool:
        return record.key == person.account_id.encode() and record.header("ce_type") == b"privacy.changed"

    return read_topic(settings.kafka, "accounts", wanted)


async def test_a_retry_at_another_gateway_appends_the_same_bytes(
    gateways: tuple[Gateway, Gateway], settings: Settings
) -> None:
    person, key = await gateways[0].person(), {"idempotency-key": secrets.token_hex(8)}
    answers = [
        await person.at(one).request("PUT", UNWAITED.path, json={"private": True}, headers=key) for one in gateways
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    first, second = await asyncio.to_thread(_privacy_changes, settings, person)
    assert (first.value, first.headers, first.timestamp_ms) == (second.value, second.headers, second.timestamp_ms)


async def test_a_death_between_reservation_and_append_is_healed_by_the_retry(
    gateways: tuple[Gateway, Gateway], settings: Settings
) -> None:
    person, key = await gateways[0].person(), {"idempotency-key": secrets.token_hex(8)}
    gateways[0].log.crashes = 1
    died = await person.request("PUT", UNWAITED.path, json={"private": True}, headers=key)
    assert died.status_code == 503
    healed = await person.at(gateways[1]).request("PUT", UNWAITED.path, json={"private": True}, headers=key)
    assert healed.status_code == 200
    assert len(await asyncio.to_thread(_privacy_changes, settings, person)) == 1


async def test_concurrent_requests_under_one_key_are_one_logical_event(
    gateways: tuple[Gateway, Gateway], settings: Settings
) -> None:
    person, key = await gateways[0].person(), {"idempotency-key": secrets.token_hex(8)}
    requests = [
        person.at(gateways[number % 2]).request("PUT", UNWAITED.path, json={"private": True}, headers=key)
        for number in range(8)
    ]
    answers = await asyncio.gather(*requests)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    records = await asyncio.to_thread(_privacy_changes, settings, person)
    assert len({record.header("ce_id") for record in records}) == 1


async def test_another_body_under_the_same_key_is_refused(
    gateways: tuple[Gateway, Gateway], settings: Settings
) -> None:
    person, key = await gateways[0].person(), {"idempotency-key": secrets.token_hex(8)}
    await person.request("PUT", UNWAITED.path, json={"private": True}, headers=key)
    other = await person.at(gateways[1]).request("PUT", UNWAITED.path, json={"private": False}, headers=key)
    assert other.status_code == 422
    assert other.json()["type"] == "/problems/idempotency-key-reused"
    assert len(await asyncio.to_thread(_privacy_changes, settings, person)) == 1


async def test_a_retried_sign_up_is_one_account(gateways: tuple[Gateway, Gateway], settings: Settings) -> None:
    body = {"username": f"retried_{secrets.token_hex(4)}", "password": "a password of some length"}
    key = {"idempotency-key": secrets.token_hex(8)}
    gateways[0].log.crashes = 1
    assert (await gateways[0].client.post("/v1/accounts", json=body, headers=key)).status_code == 503
    answers = [await one.client.post("/v1/accounts", json=body, headers=key) for one in gateways]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    account_id = answers[0].json()["account_id"].encode()
    records = await asyncio.to_thread(read_topic, settings.kafka, "accounts", lambda record: record.key == account_id)
    assert len(records) == 2
    assert len({record.header("ce_id") for record in records}) == 1
    assert body["username"].encode() not in b"".join(record.value or b"" for record in records)
