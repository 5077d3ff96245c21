"""What analysts get of an event: what its schema declares, ids as pseudonyms, and nothing else."""

from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.streams.filters import PUBLIC, Filter, chance_of, types_named, wanted
from gateway.streams.pseudonyms import Pseudonyms
from gateway.streams.shapes import data_of, json_schema
from gateway.vault.port import GrantRow
from photolog.errors import Forbidden, Invalid
from photolog.ids import new_event_id
from schemas.avro_form import personal_fields, shown_fields
from schemas.events import Event
from schemas.serde import SCHEMAS
from tests.unit.schemas.samples import events_of, filled

MASTER = b"m" * 32
LAB = Pseudonyms(MASTER, "a" * 16)
SECRET = "Sehr geheim"
public_events = st.sampled_from(list(PUBLIC.values())).flatmap(events_of)


def test_events_that_nobody_declared_are_not_there() -> None:
    never = {
        "account.blocked",
        "account.muted",
        "content.reported",
        "post.saved",
        "post.viewed",
        "privacy.changed",
        "post.created",
        "profile.changed",
        "account.deleted",
    }
    types = {event.type for event in SCHEMAS}
    assert never <= types
    assert not never & PUBLIC.keys()
    assert {name for name in types if next(one for one in SCHEMAS if one.type == name).analysts} == PUBLIC.keys()


@pytest.mark.parametrize("event", list(PUBLIC.values()), ids=lambda event: event.type)
def test_what_is_served_is_what_is_declared_and_nothing_personal(event: type[Event]) -> None:
    assert not shown_fields(event).keys() & personal_fields(event).keys()
    data = data_of(filled(event, SECRET), LAB)
    assert data.keys() == shown_fields(event).keys()
    assert SECRET not in str(data)


@given(event=public_events)
def test_the_data_is_as_its_schema_says(event: Event) -> None:
    data: Any = msgspec.json.decode(msgspec.json.encode(data_of(event, LAB)))
    jsonschema.validate(data, json_schema(type(event)) | {"additionalProperties": False})


@pytest.mark.parametrize("event", list(PUBLIC.values()), ids=lambda event: event.type)
def test_every_id_is_a_pseudonym(event: type[Event]) -> None:
    ids = {field for field in event.__struct_fields__ if field.endswith(("_id", "_ids"))}
    for field, mark in shown_fields(event).items():
        assert (mark.form != "plain") == (field in ids)


@given(number=st.integers(1, 2**63 - 1), other=st.integers(1, 2**63 - 1))
def test_pseudonyms_hold_within_a_grant_and_say_nothing_to_another(number: int, other: int) -> None:
    again, elsewhere = Pseudonyms(MASTER, "a" * 16), Pseudonyms(MASTER, "b" * 16)
    assert LAB.of("account", number) == again.of("account", number)
    assert LAB.of("account", number) != elsewhere.of("account", number)
    assert LAB.of("account", number) != LAB.of("post", number)
    assert (LAB.of("account", number) == LAB.of("account", other)) == (number == other)


def grant(*types: str, sample_max: float = 1.0) -> GrantRow:
    return GrantRow(
        grant_id="a" * 16,
        name="lab",
        types=types,
        sample_max=sample_max,
        token_digest=b"",
        created_ms=0,
        expires_ms=1,
    )


def test_nothing_beyond_the_grant_is_had() -> None:
    own = grant("post.liked", "post.published", sample_max=0.5)
    assert wanted(own, None, None) == Filter(("post.published", "post.liked"), 0.5)
    assert wanted(own, "post.liked", 0.1) == Filter(("post.liked",), 0.1)
    for types, sample in (("post.liked,post.unliked", None), (None, 0.6)):
        with pytest.raises(Forbidden, match=r"does not cover|at most"):
            wanted(own, types, sample)
    with pytest.raises(Forbidden):
        wanted(grant("an.event.of.before"), None, None)
    for types in ("post.created", "nonsense", ",", "post.liked,account.blocked"):
        with pytest.raises(Invalid):
            wanted(own, types, None)
    assert types_named(" post.liked ,post.liked") == ("post.liked",)


def test_a_smaller_sample_is_part_of_a_larger_one_and_about_as_large_as_it_says() -> None:
    chances = [chance_of(new_event_id()) for _ in range(4_000)]
    assert all(0 <= chance < 1 for chance in chances)
    kept = {share: {one for one in chances if Filter(("x",), share).takes("x", one)} for share in (0.1, 0.5, 1.0)}
    assert kept[0.1] < kept[0.5] < kept[1.0] == set(chances)
    assert 0.4 < len(kept[0.5]) / len(chances) < 0.6
