"""Upcasters: old bytes are read as what they meant, through the fold into rows, and nothing else is touched."""

import io
import json
from typing import Any

import fastavro
import pytest

from photolog.errors import UndecodableRecord
from photolog.ids import new_event_id
from projections.accounts import ACCOUNTS
from projections.catalogue import PROJECTIONS
from projections.fold import Recorded, fold_batch, fold_one, needed
from projections.writes import ABSENT, Kept
from schemas import events as e
from schemas.compatibility import KeptSchema
from schemas.serde import SCHEMAS, Serde
from schemas.topics import topic_of
from schemas.upcasters import UPCASTERS, OldVersion, Upcasters, old_version
from schemas.versions import canonical, kept_forms, version_of
from tests.unit.schemas.kept_schemas import ENTRIES, KEPT, KEPT_SERDE, kept_bytes
from tests.unit.schemas.samples import IDS, KEYS

START_MS = 1_790_000_000_000
FOLDED = [kept for kept in KEPT if any(topic_of(kept.event) in one.topics for one in PROJECTIONS)]
SUSPENDED_1 = next(kept for kept in KEPT if kept.name == "accounts/AccountSuspended/1")


def written(form: dict[str, Any], values: dict[str, Any]) -> bytes:
    """An Avro value without framing."""
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(form), values)
    return buffer.getvalue()


def read(kept: KeptSchema, payload: bytes | None = None) -> e.Event:
    return KEPT_SERDE.open_record(KEPT_SERDE.parse(kept_bytes(kept, payload)), KEYS.get)


def recorded(event: e.Event, offset: int) -> Recorded:
    return Recorded(event, new_event_id(), topic_of(type(event)).name, 0, offset, START_MS + offset)


def suspended_of_old(reason: str) -> e.Event:
    """What a suspension that was written with version 1 is read as."""
    return read(SUSPENDED_1, written(SUSPENDED_1.form, {"account_id": 1, "reason": reason, "operator": "grace"}))


@pytest.mark.parametrize(
    ("said", "rule", "note"),
    [
        ("spam", "spam", ""),
        ("Self-harm", "self_harm", ""),
        (" false information ", "false_information", ""),
        ("spam: two thousand follows an hour", "spam", "spam: two thousand follows an hour"),
        ("sells followers", "other", "sells followers"),
        ("", "other", ""),
    ],
)
def test_a_suspension_in_free_words_is_read_as_a_rule_and_a_note(said: str, rule: Any, note: str) -> None:
    assert suspended_of_old(said) == e.AccountSuspended(account_id=1, reason=rule, operator="grace", note=note)


def test_without_its_upcaster_the_old_reason_would_be_undecodable() -> None:
    value = kept_bytes(SUSPENDED_1)
    text = json.dumps(SUSPENDED_1.form | {"fields": [*SUSPENDED_1.form["fields"], {"name": "x", "type": "null"}]})
    plain = Serde(IDS, lambda _: text)  # no version that we kept, so that Avro alone resolves it
    with pytest.raises(UndecodableRecord, match="reason"):
        plain.open_record(plain.parse(value), KEYS.get)


def test_old_bytes_and_todays_event_fold_into_the_same_row() -> None:
    created = recorded(e.AccountCreated(account_id=1, username="ada", display_name=None, private=False), 0)
    rows = []
    for event in (suspended_of_old("spam: bought"), e.AccountSuspended(account_id=1, reason="spam", operator="x")):
        state: dict[Any, Kept] = {ACCOUNTS.key(1): ABSENT}
        fold_batch(next(one for one in PROJECTIONS if one.name == "accounts"), state, [created, recorded(event, 1)])
        rows.append(state[ACCOUNTS.key(1)].row)
    assert rows[0] == rows[1]
    assert (rows[0].suspended, rows[0].suspended_for) == (True, "spam")  # type: ignore[union-attr]  # it is there


@pytest.mark.parametrize("kept", FOLDED, ids=lambda kept: kept.name)
def test_bytes_of_every_version_fold(kept: KeptSchema) -> None:
    event = recorded(read(kept), 0)
    for projection in PROJECTIONS:
        if topic_of(kept.event) in projection.topics:
            _, writes = fold_one(projection, dict.fromkeys(needed(projection, event), ABSENT), event)
            assert writes[-1].write.key == projection.aggregate(event)


@pytest.mark.parametrize("event", UPCASTERS, ids=lambda event: event.type)
def test_upcasters_begin_at_kept_versions_that_can_be_told_apart(event: type[e.Event]) -> None:
    forms = kept_forms(event)
    assert all(1 <= begin < len(forms) for begin in UPCASTERS[event])
    for begin in UPCASTERS[event]:
        before, after = ({canonical(form) for form in part} for part in (forms[:begin], forms[begin:]))
        assert before.isdisjoint(after), "a version that is upcast differs in its fields"


@pytest.mark.parametrize("event", UPCASTERS, ids=lambda event: event.type)
def test_upcasters_give_values_of_the_next_version_and_leave_personal_fields_alone(event: type[e.Event]) -> None:
    forms = kept_forms(event)
    for begin, upcast in UPCASTERS[event].items():
        payload = bytes.fromhex(ENTRIES[f"{event.capability}/{event.__name__}/{begin}"]["payload"])
        values: Any = fastavro.schemaless_reader(io.BytesIO(payload), fastavro.parse_schema(forms[begin - 1]), None)
        before = dict(values)
        after = upcast(values)
        assert values == before, "an upcaster is pure"
        assert fastavro.validate(after, fastavro.parse_schema(forms[begin]), strict=True)
        assert all(after.get(field) == values.get(field) for field in SCHEMAS[event].personal)


def test_a_schema_is_recognised_however_a_registry_writes_it() -> None:
    form = dict(reversed(SUSPENDED_1.form.items()))
    form["name"] = f"{form.pop('namespace')}.{form['name']}"
    form["fields"] = [dict(reversed(field.items())) for field in form["fields"]]
    assert version_of(e.AccountSuspended, json.dumps(form, indent=4)) == 1


def test_the_current_version_and_one_that_is_not_ours_have_nothing_ahead() -> None:
    assert old_version(e.AccountSuspended, SCHEMAS[e.AccountSuspended].text) is None
    newer = json.loads(SCHEMAS[e.AccountSuspended].text)
    newer["fields"].append({"name": "until_ms", "type": "long", "default": 0})
    assert old_version(e.AccountSuspended, json.dumps(newer)) is None
    assert old_version(e.PostLiked, SCHEMAS[e.PostLiked].text) is None


def _form(*fields: str) -> dict[str, Any]:
    return {
        "type": "record",
        "name": "Moved",
        "fields": [{"name": field, "type": "long", "default": 0} for field in fields],
    }


FORMS = (_form("seconds"), _form("seconds", "more"), _form("seconds", "ms"), _form("ms", "node"), _form("ms", "last"))
"""Between the second and the third, and the third and the fourth, upcasters; the others only grow and shrink."""
STEPS = {
    2: lambda values: {"seconds": values["seconds"], "ms": values["seconds"] * 1_000 + values["more"]},
    3: lambda values: {"ms": values["ms"], "node": 7},
}


@pytest.mark.parametrize(
    ("number", "values", "expected"),
    [
        (1, {"seconds": 2}, {"ms": 2_000, "last": 0}),
        (2, {"seconds": 2, "more": 5}, {"ms": 2_005, "last": 0}),
        (3, {"seconds": 9, "ms": 3}, {"ms": 3, "last": 0}),
    ],
)
def test_a_record_goes_through_every_upcaster_ahead_of_it(
    number: int, values: dict[str, int], expected: dict[str, int]
) -> None:
    old = OldVersion(FORMS, STEPS, number)
    payload = io.BytesIO(written(FORMS[number - 1], values))
    found: Any = fastavro.schemaless_reader(payload, fastavro.parse_schema(FORMS[number - 1]), old.reader)
    assert old.current(found) == expected


def test_an_upcaster_that_raises_makes_its_record_undecodable(monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(values: dict[str, Any]) -> dict[str, Any]:
        raise KeyError("unforeseen")

    upcasters: Upcasters = {e.AccountSuspended: {1: raises}}
    monkeypatch.setattr("schemas.serde.old_version", lambda event, text: old_version(event, text, upcasters))
    codec = Serde(IDS, lambda _: json.dumps(SUSPENDED_1.form))
    with pytest.raises(UndecodableRecord, match="not a AccountSuspended"):
        codec.parse(kept_bytes(SUSPENDED_1))
