"""The contract only grows: every version that was ever committed is readable, and reads what is written now."""

import copy
import json
from collections.abc import Callable

import msgspec
import pytest

from schemas.compatibility import KeptSchema, incompatibilities, kept_versions, path_of
from schemas.events import Event
from schemas.serde import SCHEMAS
from schemas.versions import HISTORY_FOLDER, Form
from tests.unit.schemas.kept_schemas import ENTRIES, KEPT, KEPT_SERDE, RECORDS, kept_bytes, new_record
from tests.unit.schemas.samples import EVENT_TYPES, KEYS


@pytest.mark.parametrize("event", EVENT_TYPES, ids=lambda event: event.type)
def test_the_committed_schema_is_the_newest_in_its_history(event: type[Event]) -> None:
    kept = kept_versions(event)
    current = json.loads(SCHEMAS[event].text)
    copy_to = path_of(event, len(kept) + 1)
    assert kept, f"copy the schema to {copy_to}"
    assert kept[-1].form == current, f"a schema changed: copy it to {copy_to}; never edit a version that is kept"


@pytest.mark.parametrize("event", EVENT_TYPES, ids=lambda event: event.type)
def test_no_version_is_missing(event: type[Event]) -> None:
    assert [kept.number for kept in kept_versions(event)] == list(range(1, len(kept_versions(event)) + 1))


def test_no_event_that_was_ever_committed_has_gone() -> None:
    kept = {(path.parent.parent.name, path.parent.name) for path in HISTORY_FOLDER.rglob("*.avsc")}
    assert kept == {(event.capability, event.__name__) for event in SCHEMAS}


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept.name)
def test_the_current_schema_fits_every_kept_version_in_both_directions(kept: KeptSchema) -> None:
    assert incompatibilities(json.loads(SCHEMAS[kept.event].text), kept.form) == []
    assert kept.form["event"] == kept.event.type


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept.name)
def test_old_bytes_still_decode(kept: KeptSchema) -> None:
    assert kept.name in ENTRIES, f"append to {RECORDS}: {json.dumps(new_record(kept), ensure_ascii=False)}"
    entry = ENTRIES[kept.name]
    event = KEPT_SERDE.open_record(KEPT_SERDE.parse(kept_bytes(kept)), KEYS.get)
    assert event == msgspec.convert(entry.get("now", entry["event"]), kept.event)


def _without(field: str) -> Callable[[Form], Form]:
    return lambda form: {**form, "fields": [one for one in form["fields"] if one["name"] != field]}


def _with(field: Form) -> Callable[[Form], Form]:
    return lambda form: {**form, "fields": [*form["fields"], field]}


def _changed(field: str, **changes: object) -> Callable[[Form], Form]:
    def change(form: Form) -> Form:
        after = copy.deepcopy(form)
        next(one for one in after["fields"] if one["name"] == field).update(changes)
        return after

    return change


def _nested_without(form: Form) -> Form:
    """A variant of a transcoded photograph loses a field."""
    after = copy.deepcopy(form)
    variants = next(one for one in after["fields"] if one["name"] == "variants")
    variants["type"]["items"]["fields"].pop()
    return after


def _schema(name: str) -> Form:
    form: Form = json.loads(next(schema.text for event, schema in SCHEMAS.items() if event.__name__ == name))
    return form


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("PostLiked", _without("actor_id"), "reader_field_missing_default_value"),
        ("PostLiked", _with({"name": "mood", "type": "string"}), "reader_field_missing_default_value"),
        ("PostLiked", _changed("post_id", type="string"), "type_mismatch"),
        ("PostLiked", _changed("post_id", type="int"), "type_mismatch"),
        ("PostLiked", _changed("post_id", type=["null", "long"]), "missing_union_branch|type_mismatch"),
        ("PostLiked", _changed("post_id", name="picture_id"), "reader_field_missing_default_value"),
        ("PostLiked", lambda form: {**form, "name": "PostLoved"}, "name_mismatch"),
        ("PostCreated", _changed("hashtags", type="string"), "type_mismatch"),
        ("PostCreated", _changed("caption", type=["null", "string"], subject=None), "caption is personal in one"),
        ("PostCreated", _changed("caption", subject="post_id"), "another person's"),
        ("MediaTranscodingCompleted", _nested_without, "reader_field_missing_default_value"),
    ],
)
def test_a_breaking_change_is_found(name: str, change: Callable[[Form], Form], reason: str) -> None:
    found = "; ".join(incompatibilities(change(_schema(name)), _schema(name)))
    assert found
    assert any(word in found for word in reason.split("|"))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("PostLiked", _with({"name": "mood", "type": "string", "default": ""})),
        ("PostLiked", _with({"name": "mood", "type": ["null", "string"], "default": None})),
        ("PostCreated", _without("coarse_cell")),
        ("PostLiked", lambda form: {**form, "doc": "Somebody likes a post."}),
    ],
)
def test_a_growing_change_is_allowed(name: str, change: Callable[[Form], Form]) -> None:
    assert incompatibilities(change(_schema(name)), _schema(name)) == []
