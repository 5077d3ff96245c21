"""Erasure, export and scan know every table, every event and every row outside that names an account.

Whoever adds a table, an event or a vault table is told here where to say what becomes of it when an account leaves.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Any, get_args, get_origin

import msgspec
import pytest
from hypothesis import given

from gateway.vault import VAULT_DDL
from leaving.coverage import BY_TABLE, COVERAGE, NAMELESS, Coverage, columns_of, uncovered
from leaving.mentions import ACCOUNT_FIELDS, NAMING, OTHER_IDS, Mention, zigzag
from leaving.undoing import LEFT, UNDOING
from photolog.keyring import KEYRING_DDL
from photolog.log.record import StoredRecord
from projections.catalogue import TABLES
from projections.tables import Table
from schemas.events import Event
from schemas.topics import topic_of
from tests.unit.schemas.samples import EVENT_TYPES, KEYS, SERDE, events
from transcode.contents.cassandra import CONTENTS_DDL

VAULT_HANDLED = {
    "usernames": "released, and resting under its hash",
    "resting_usernames": "holds keyed hashes that end",
    "credentials": "removed",
    "sessions": "revoked",
    "reservations": "removed by scope",
    "uploads": "removed by owner",
    "upload_names": "removed with its upload",
    "nodes": "no account in it",
    "erasures": "the marker itself, which stays",
    "open_erasures": "closed",
    "exports": "removed",
    "open_exports": "removed",
    "contents": "released by media record; the last one's go",
    "grants": "no account in it",
    "subject_keys": "the key is destroyed, the marker of that stays",
}


def looks_like_an_id(name: str, kind: Any) -> bool:
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    arguments = {kind, *get_args(kind)}
    return int in arguments and (name.endswith(("_id", "_ids", "_by")))


def fields_of(record: type[msgspec.Struct]) -> Iterable[tuple[str, Any]]:
    return ((field.name, field.type) for field in msgspec.structs.fields(record))


def unknown_ids(record: type[msgspec.Struct]) -> set[str]:
    return {name for name, kind in fields_of(record) if looks_like_an_id(name, kind)} - ACCOUNT_FIELDS - OTHER_IDS


@pytest.mark.parametrize("event", EVENT_TYPES, ids=lambda event: event.type)
def test_every_id_in_an_event_is_known_to_name_an_account_or_not(event: type[Event]) -> None:
    assert not unknown_ids(event), "add it to ACCOUNT_FIELDS or OTHER_IDS in leaving/mentions.py"


@pytest.mark.parametrize("event", [event for event in EVENT_TYPES if NAMING[event]], ids=lambda event: event.type)
def test_every_event_that_names_an_account_is_taken_back_or_said_to_stay(event: type[Event]) -> None:
    assert (event in UNDOING) != (event in LEFT), "say in leaving/undoing.py what becomes of it"


def test_nothing_is_said_of_events_that_are_not_there() -> None:
    assert UNDOING.keys() | LEFT.keys() == {event for event in EVENT_TYPES if NAMING[event]}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_that_names_an_account_is_covered(table: Table[Any]) -> None:
    assert not unknown_ids(table.row), "add it to ACCOUNT_FIELDS or OTHER_IDS in leaving/mentions.py"
    naming = set(columns_of(table)) & ACCOUNT_FIELDS
    if table.name in NAMELESS:
        assert not naming
        return
    assert table.name in BY_TABLE, "say in leaving/coverage.py what an erasure makes of it"
    coverage = BY_TABLE[table.name]
    assert naming == {*coverage.owners, *coverage.others}
    assert set(coverage.personal) <= set(columns_of(table))
    assert uncovered() == []


@pytest.mark.parametrize("coverage", COVERAGE, ids=lambda coverage: coverage.table.name)
def test_a_table_whose_rows_are_kept_holds_no_text_of_a_person(coverage: Coverage) -> None:
    """Text is personal, or it is one of a few words of ours, or says so here."""
    ours = {
        "channel",
        "target",
        "counter",
        "status",
        "delivery",
        "audience",
        "low_follows",
        "high_follows",
        "reason",
        "detail",
        "rejection",
        # Twelve blurred colours of a photograph; docs/adr/0032 says why they may stay.
        "blurhash",
        # A keyed hash of a file's bytes, and what an upload is for.
        "digest",
        "purpose",
        "moderation",
        "rule",
        "classifier",
        # The id of an event.
        "collection",
    }
    texts = {name for name, kind in fields_of(coverage.table.row) if _holds_text(kind)} - ours
    assert texts <= set(coverage.personal), "personal, or words of ours?"
    if coverage.fate == "kept":
        assert not coverage.personal


def test_every_table_outside_the_log_is_handled() -> None:
    created = (*VAULT_DDL, *KEYRING_DDL, *CONTENTS_DDL)
    names = {re.search(r"CREATE TABLE IF NOT EXISTS (\w+)", ddl)[1] for ddl in created}  # type: ignore[index]
    assert names == VAULT_HANDLED.keys(), "say what an erasure makes of it, in leaving/purging.py and here"


@given(event=events)
def test_a_record_that_names_an_account_is_never_passed_over(event: Event) -> None:
    value = SERDE.encode(event, KEYS.get)
    record = StoredRecord(topic_of(type(event)).name, 0, 0, b"", value, (), 0)
    for field in NAMING[type(event)]:
        account_id = getattr(event, field)
        if account_id is not None:
            assert Mention(account_id).may_be_in(record)


def test_most_records_are_passed_over_by_their_bytes_alone() -> None:
    record = StoredRecord("likes", 0, 0, b"7000000000000000001", b"\0\0\0\0\1" + zigzag(7000000000000000001), (), 0)
    assert Mention(7000000000000000001).may_be_in(record)
    assert not Mention(7000000000000000002).may_be_in(record)


def _holds_text(kind: Any) -> bool:
    if kind is str:
        return True
    return any(_holds_text(argument) for argument in get_args(kind) if isinstance(argument, type) or get_args(argument))
