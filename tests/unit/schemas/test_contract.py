"""The classes, the committed Avro files and the table of topics say the same."""

import json

import fastavro
import pytest

from schemas import events as e
from schemas.avro_form import avro_form, personal_fields
from schemas.serde import AVRO_FOLDER, SCHEMAS
from schemas.topics import TOPICS, pair_key, topic_named, topic_of
from tests.unit.schemas.samples import EVENT_TYPES, filled

CLASSES = {event for event in vars(e).values() if isinstance(event, type) and issubclass(event, e.Event)} - {e.Event}


@pytest.mark.parametrize("event", EVENT_TYPES, ids=lambda event: event.type)
def test_the_class_equals_its_committed_schema(event: type[e.Event]) -> None:
    committed = json.loads((AVRO_FOLDER / event.capability / f"{event.__name__}.avsc").read_text())
    assert avro_form(event) == committed


@pytest.mark.parametrize("event", EVENT_TYPES, ids=lambda event: event.type)
def test_every_committed_schema_is_valid_avro(event: type[e.Event]) -> None:
    fastavro.parse_schema(json.loads(SCHEMAS[event].text), _force=True)


def test_every_committed_schema_has_its_class() -> None:
    files = {(path.parent.name, path.stem) for path in AVRO_FOLDER.rglob("*.avsc")}
    assert files == {(event.capability, event.__name__) for event in CLASSES}


def test_every_event_travels_in_one_topic() -> None:
    carried = [event for topic in TOPICS for event in topic.events]
    assert len(carried) == len(set(carried))
    assert set(carried) == CLASSES
    assert len({event.type for event in CLASSES}) == len(CLASSES)


def test_topics_are_found_by_event_and_by_name() -> None:
    for topic in TOPICS:
        assert topic_named(topic.name) is topic
        assert all(topic_of(event) is topic for event in topic.events)
        assert topic.dead_letters == f"{topic.name}.dead"


def test_topics_with_personal_fields_say_so() -> None:
    for topic in TOPICS:
        assert topic.personal == any(personal_fields(event) for event in topic.events)


@pytest.mark.parametrize("event", EVENT_TYPES, ids=lambda event: event.type)
def test_personal_fields_are_optional_bytes_with_their_subject(event: type[e.Event]) -> None:
    fields = {field["name"]: field for field in json.loads(SCHEMAS[event].text)["fields"]}
    for name, subject in personal_fields(event).items():
        assert fields[name] == {"name": name, "type": ["null", "bytes"], "default": None, "subject": subject}
        assert fields[subject]["type"] == "long"


@pytest.mark.parametrize("event", EVENT_TYPES, ids=lambda event: event.type)
def test_keys_hold_ids_and_nothing_personal(event: type[e.Event]) -> None:
    topic, drawn = topic_of(event), filled(event, "secret")
    # A digest is hexadecimal, and tells nothing of whose file it is; coarse cells are plain by design.
    if topic.keyed_by == "scope":
        assert topic.keyed_by not in personal_fields(event)
        return
    assert topic.keyed_by == "digest" or set(topic.key(drawn)) <= set("0123456789:")
    assert "secret" not in topic.key(drawn)


def test_everything_between_two_people_has_one_key() -> None:
    graph = topic_of(e.FollowCreated)
    more: dict[type[e.Event], dict[str, object]] = {
        e.FollowCreated: {"wanted_status": "active"},
        e.FollowDeferred: {"followed_ms": 1},
    }
    for event in graph.events:
        first, second = event.__struct_fields__[:2]
        rest = more.get(event, {})
        assert graph.key(event(**{first: 7, second: 5}, **rest)) == "5:7" == pair_key(5, 7)
        assert graph.key(event(**{first: 5, second: 7}, **rest)) == "5:7"
