"""The contract for people to read, and a changed schema held to what was written before."""

import json

import pytest

from photolog.errors import Invalid, NotFound
from schemas.compatibility import event_of, judge, kept_versions, parse_form
from schemas.dictionary import described, fields, schema_named
from schemas.events import Event
from schemas.serde import SCHEMAS
from schemas.topics import TOPICS
from tests.unit.schemas.samples import EVENT_TYPES, filled


@pytest.mark.parametrize("event", EVENT_TYPES, ids=lambda event: event.type)
def test_every_field_of_every_event_is_in_its_dictionary(event: type[Event]) -> None:
    schema = SCHEMAS[event]
    shown = {field.name: field for field in fields(schema)}
    assert set(event.__struct_fields__) == {name for name in shown if "." not in name}
    assert {name: field.subject for name, field in shown.items() if field.subject} == dict(schema.personal)
    assert all(field.plain for field in shown.values() if field.subject)


def test_parts_of_nested_records_are_fields_too() -> None:
    shown = {field.name: field for field in fields(schema_named("media.transcoding.completed"))}
    assert shown["variants"].type == "array of MediaVariant"
    assert shown["variants[].width"].type == "long"


def test_a_personal_field_tells_whose_it_is_and_what_it_is_once_opened() -> None:
    shown = {field.name: field for field in fields(schema_named("PostCreated"))}
    caption = shown["caption"]
    assert (caption.type, caption.plain, caption.subject, caption.default) == (
        "null | bytes",
        "str | None",
        "owner_id",
        "null",
    )
    assert shown["location"].plain == "Location | None"


@pytest.mark.parametrize(
    "name",
    [
        "comment.created",
        "CommentCreated",
        "comments-photolog.engagement.CommentCreated",
        "photolog.engagement.CommentCreated",
    ],
)
def test_an_event_is_found_by_any_of_its_names(name: str) -> None:
    assert schema_named(name).event.type == "comment.created"
    assert "answered_id" in described(schema_named(name))


def test_an_event_that_is_not_there_is_refused_with_names_like_it() -> None:
    with pytest.raises(NotFound, match=r"did you mean comment\.created"):
        schema_named("comment.creatd")


def test_an_event_without_a_word_about_it_is_described_by_none() -> None:
    assert described(schema_named("post.liked")) == ""


@pytest.mark.parametrize("event", EVENT_TYPES, ids=lambda event: event.type)
def test_the_committed_schema_fits_everything_that_is_kept(event: type[Event]) -> None:
    verdicts = judge(json.loads(SCHEMAS[event].text), [(1, kept_versions(event)[0].form)])
    assert [one.version for one in verdicts] == [
        *(f"history {kept.number}" for kept in kept_versions(event)),
        "registry 1",
    ]
    assert not any(one.reasons for one in verdicts)


def test_a_change_that_breaks_is_told_of_for_each_version_that_it_breaks() -> None:
    form = json.loads(schema_named("comment.created").text)
    form["fields"] = [field for field in form["fields"] if field["name"] != "post_id"]
    verdicts = judge(form, [(7, json.loads(schema_named("comment.created").text))])
    kept = [f"history {one.number}" for one in kept_versions(schema_named("comment.created").event)]
    assert len(kept) > 1
    assert [one.version for one in verdicts] == [*kept, "registry 7"]
    for one in verdicts:
        assert "old reader, new bytes: reader_field_missing_default_value" in one.reasons[0]


def test_another_events_name_on_the_wire_is_told_of() -> None:
    form = json.loads(schema_named("post.liked").text) | {"event": "post.loved"}
    assert judge(form, [])[0].reasons == ("its event is 'post.loved', not 'post.liked'",)


def test_an_event_that_never_was_has_nothing_to_fit() -> None:
    form = json.loads(schema_named("post.liked").text) | {"name": "PostLoved"}
    assert event_of(form) is None
    assert judge(form, []) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "not an Avro schema"),
        (b"{", "not an Avro schema"),
        (b"\xff", "not an Avro schema"),
        (b'"string"', "not the schema of a record"),
        (b'{"type": "array", "items": "long"}', "not the schema of a record"),
        (b'{"type": "record", "name": "A", "fields": [{"name": "a", "type": "lang"}]}', "not an Avro schema"),
        (b'{"type": "record", "fields": []}', "not an Avro schema"),
        (b"[" * 100_000, "not an Avro schema"),
        (b" " * (1 << 20) + b"{}", "at most 1048576 bytes"),
    ],
)
def test_a_file_that_is_no_schema_is_refused(text: bytes, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        parse_form(text)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_what_a_topic_is_keyed_by_is_what_its_keys_are(topic) -> None:  # type: ignore[no-untyped-def]
    """Where it names a field, that field is the key; elsewhere it is said in words."""
    for event in topic.events:
        if topic.keyed_by.isidentifier():
            assert topic.key(filled(event, "x")) == str(getattr(filled(event, "x"), topic.keyed_by))
        else:
            assert " " in topic.keyed_by
