"""Bytes of an old version in the real log: their schema comes from the registry, and the jobs fold what they meant."""

import asyncio
import io
import json
import struct

import fastavro
from confluent_kafka.schema_registry import Schema

from photolog.ids import new_event_id, now_ms
from photolog.log.record import EncodedRecord, event_headers
from projections.accounts import ACCOUNTS
from schemas import events as e
from schemas.registry import registry_client
from schemas.serde import SCHEMAS
from schemas.versions import kept_forms
from tests.integration.workers import Hand, WorkerProcess
from tests.unit.streams.scenario import account


async def test_a_suspension_of_the_first_version_is_folded_as_what_it_meant(
    workers: list[WorkerProcess], hand: Hand
) -> None:
    form, account_id = kept_forms(e.AccountSuspended)[0], hand.ids.next()
    with registry_client(hand.settings.registry) as client:
        schema = Schema(json.dumps(form), "AVRO")
        subject = SCHEMAS[e.AccountSuspended].subject
        schema_id = await asyncio.to_thread(client.register_schema, subject, schema)
    value = io.BytesIO()
    value.write(struct.pack(">bI", 0, schema_id))
    said = {"account_id": account_id, "reason": "harassment: follows people around", "operator": "grace"}
    fastavro.schemaless_writer(value, fastavro.parse_schema(form), said)
    at_ms = now_ms()
    headers = event_headers(new_event_id(), e.AccountSuspended.type, at_ms, "test")
    record = EncodedRecord(
        topic="accounts", key=str(account_id).encode(), value=value.getvalue(), headers=headers, timestamp_ms=at_ms
    )
    await hand.append(account(account_id))
    await hand.applied("accounts", await hand.append_records([record]))
    row = await hand.resources.rows.get(ACCOUNTS.key(account_id))
    assert row is not None
    assert (row.suspended, row.suspended_for) == (True, "harassment")
