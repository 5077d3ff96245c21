"""The codec: what goes in comes out, personal data only for those with the key, and bad bytes are dead letters."""

import io
import json
import struct

import fastavro
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from photolog.errors import UndecodableRecord
from schemas import events as e
from schemas.serde import SCHEMAS, Serde
from tests.unit.schemas.samples import EVENT_TYPES, IDS, KEYS, PERSONAL_TYPES, SERDE, events, events_of, filled

SECRET = "Sehr geheim ÄÖÜ 秘密"
UNKNOWN_ID = max(IDS.values()) + 1


def nobody(_: int) -> None:
    """Every key is erased."""


def decoded(value: bytes, serde: Serde = SERDE) -> e.Event:
    return serde.open_record(serde.parse(value), KEYS.get)


@pytest.mark.parametrize("event_type", EVENT_TYPES, ids=lambda event: event.type)
def test_every_event_comes_back_as_it_was(event_type: type[e.Event]) -> None:
    @given(event=events_of(event_type))
    @settings(max_examples=25)
    def comes_back(event: e.Event) -> None:
        assert decoded(SERDE.encode(event, KEYS.get)) == event

    comes_back()


@given(event=events)
def test_the_framing_is_confluents(event: e.Event) -> None:
    value = SERDE.encode(event, KEYS.get)
    assert struct.unpack(">bI", value[:5]) == (0, IDS[type(event)])


@pytest.mark.parametrize("event_type", PERSONAL_TYPES, ids=lambda event: event.type)
def test_personal_fields_are_not_in_the_bytes(event_type: type[e.Event]) -> None:
    event = filled(event_type, SECRET)
    value = SERDE.encode(event, KEYS.get)
    assert SECRET in str(decoded(value))
    for word in SECRET.split():
        assert word.encode() not in value
        assert json.dumps(word).strip('"').encode() not in value


@pytest.mark.parametrize("event_type", PERSONAL_TYPES, ids=lambda event: event.type)
def test_two_encodings_of_one_event_share_no_ciphertext(event_type: type[e.Event]) -> None:
    event = filled(event_type, SECRET)
    one, other = (SERDE.parse(SERDE.encode(event, KEYS.get)).values for _ in range(2))
    for field in SCHEMAS[event_type].personal:
        assert one[field] != other[field]


@pytest.mark.parametrize("event_type", PERSONAL_TYPES, ids=lambda event: event.type)
def test_a_record_names_the_subjects_whose_keys_open_it(event_type: type[e.Event]) -> None:
    event = filled(event_type, SECRET)
    assert SERDE.parse(SERDE.encode(event, KEYS.get)).subjects == {1}
    assert SERDE.parse(SERDE.encode(event, nobody)).subjects == frozenset()


@given(event=st.sampled_from(PERSONAL_TYPES).flatmap(events_of))
def test_an_erased_persons_fields_are_none_and_the_rest_is_there(event: e.Event) -> None:
    erased = msgspec.structs.replace(event, **dict.fromkeys(SCHEMAS[type(event)].personal))
    record = SERDE.parse(SERDE.encode(event, KEYS.get))
    assert SERDE.open_record(record, nobody) == erased
    assert decoded(SERDE.encode(event, nobody)) == erased


def test_a_value_under_another_key_is_undecodable() -> None:
    record = SERDE.parse(SERDE.encode(filled(e.ProfileChanged, SECRET), KEYS.get))
    with pytest.raises(UndecodableRecord, match="does not open"):
        SERDE.open_record(record, lambda _: KEYS[2])


def test_a_value_moved_to_another_field_or_person_is_undecodable() -> None:
    record = SERDE.parse(SERDE.encode(filled(e.ProfileChanged, SECRET), KEYS.get))
    for moved in ({"bio": record.values["display_name"]}, {"account_id": 2}):
        values = {**record.values, **moved}
        with pytest.raises(UndecodableRecord):
            SERDE.open_record(msgspec.structs.replace(record, values=values), lambda _: KEYS[1])


@given(st.binary(max_size=80))
@example(b"")
@example(b"\x00\x00\x00\x00")
def test_any_bytes_are_an_event_or_undecodable(value: bytes) -> None:
    _event_or_undecodable(value)


@given(schema_id=st.sampled_from(sorted(IDS.values())), payload=st.binary(max_size=120))
@example(schema_id=IDS[e.PostCreated], payload=b"\xff" * 9 + b"\x01")
@settings(max_examples=400)
def test_any_payload_behind_a_known_id_is_an_event_or_undecodable(schema_id: int, payload: bytes) -> None:
    _event_or_undecodable(struct.pack(">bI", 0, schema_id) + payload)


@given(event=events, data=st.data())
@settings(max_examples=400)
def test_a_damaged_record_is_an_event_or_undecodable(event: e.Event, data: st.DataObject) -> None:
    value = bytearray(SERDE.encode(event, KEYS.get))
    match data.draw(st.sampled_from(["flip", "cut", "insert", "overwrite"]), label="damage"):
        case "flip":
            value[data.draw(st.integers(0, len(value) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        case "cut":
            del value[data.draw(st.integers(0, len(value) - 1)) :]
        case "insert":
            at = data.draw(st.integers(0, len(value)))
            value[at:at] = data.draw(st.binary(min_size=1, max_size=12))
        case "overwrite":
            at = data.draw(st.integers(0, len(value) - 1))
            value[at : at + 10] = b"\xff" * 10
    _event_or_undecodable(bytes(value))


@given(event=st.sampled_from(PERSONAL_TYPES).flatmap(events_of), sealed=st.binary(max_size=40))
def test_any_bytes_in_a_sealed_field_are_undecodable(event: e.Event, sealed: bytes) -> None:
    schema = SCHEMAS[type(event)]
    record = SERDE.parse(SERDE.encode(event, KEYS.get))
    for field in schema.personal:
        with pytest.raises(UndecodableRecord):
            SERDE.open_record(msgspec.structs.replace(record, values={**record.values, field: sealed}), KEYS.get)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "shorter than the framing"),
        (b"\x00\x00\x00\x00", "shorter than the framing"),
        (b"\x01" + b"\x00" * 10, "magic byte is 1"),
        (b'{"post_id": "7"}', "magic byte is 123"),
        (struct.pack(">bI", 0, UNKNOWN_ID), f"schema id {UNKNOWN_ID} is unknown"),
        (SERDE.encode(filled(e.PostLiked, ""), KEYS.get) + b"!", "left over"),
        (SERDE.encode(filled(e.PostLiked, ""), KEYS.get)[:-1], "not a PostLiked"),
    ],
)
def test_the_reason_says_what_is_wrong(value: bytes | None, reason: str) -> None:
    with pytest.raises(UndecodableRecord, match=reason):
        SERDE.parse(value)


def test_a_word_outside_a_literal_is_undecodable() -> None:
    value = SERDE.encode(filled(e.FollowCreated, ""), KEYS.get).replace(b"active", b"actor!")
    with pytest.raises(UndecodableRecord, match="wanted_status"):
        decoded(value)


@pytest.mark.parametrize(
    "text",
    ["not json", '"string"', "[]", "{}", '{"type": "record", "name": "Other", "namespace": "elsewhere", "fields": []}'],
)
def test_an_id_of_something_else_in_the_registry_is_undecodable(text: str) -> None:
    serde = Serde(IDS, {UNKNOWN_ID: text}.get)
    with pytest.raises(UndecodableRecord, match=f"schema id {UNKNOWN_ID} is no event of ours"):
        serde.parse(struct.pack(">bI", 0, UNKNOWN_ID) + b"\x02\x02")


def test_a_broken_schema_under_our_name_is_undecodable() -> None:
    text = '{"type": "record", "name": "PostLiked", "namespace": "photolog.engagement", "fields": [{"name": "x"}]}'
    with pytest.raises(UndecodableRecord, match="is no event of ours"):
        Serde(IDS, {UNKNOWN_ID: text}.get).parse(struct.pack(">bI", 0, UNKNOWN_ID) + b"\x02\x02")


def _written_with(form: dict[str, object], values: dict[str, object]) -> bytes:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema({**form}), values)
    return struct.pack(">bI", 0, UNKNOWN_ID) + buffer.getvalue()


def test_an_older_writer_is_read_with_defaults() -> None:
    form = json.loads(SCHEMAS[e.PostCreated].text)
    older = {**form, "fields": [field for field in form["fields"] if field["name"] != "coarse_cell"]}
    event = filled(e.PostCreated, SECRET)
    values = SERDE.parse(SERDE.encode(event, KEYS.get)).values
    asked: list[int] = []

    def writer_text(schema_id: int) -> str:
        asked.append(schema_id)
        return json.dumps(older)

    serde = Serde(IDS, writer_text)
    value = _written_with(older, values)
    for _ in range(3):
        assert decoded(value, serde) == msgspec.structs.replace(event, coarse_cell=None)
    assert asked == [UNKNOWN_ID]


def test_a_newer_writer_is_read_without_what_it_adds() -> None:
    form = json.loads(SCHEMAS[e.PostLiked].text)
    newer = {**form, "fields": [{"name": "mood", "type": "string", "default": ""}, *form["fields"]]}
    value = _written_with(newer, {"mood": "glad", "actor_id": 1, "post_id": 2})
    assert decoded(value, Serde(IDS, {UNKNOWN_ID: json.dumps(newer)}.get)) == e.PostLiked(actor_id=1, post_id=2)


def _event_or_undecodable(value: bytes) -> None:
    try:
        event = decoded(value)
    except UndecodableRecord:
        return
    assert type(event) in IDS


def test_a_flood_of_one_unknown_schema_id_asks_the_registry_once() -> None:
    asked: list[int] = []
    codec = Serde({}, asked.append)
    for _ in range(3):
        with pytest.raises(UndecodableRecord, match="unknown"):
            codec.parse(b"\x00\x00\x00\x00\x07body")
    assert asked == [7]
