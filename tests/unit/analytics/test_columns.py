"""Events as columns: everything but what is personal, there and back."""

from uuid import UUID, uuid4

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.columns import PLACE, from_parquet, own_fields, recorded_of, schema_of, table_of, to_parquet, version_in
from analytics.layout import ExportFile, hour_of, parsed
from projections.fold import Recorded
from schemas.avro_form import personal_fields
from schemas.events import AccountSuspended, Event, PostPublished
from schemas.serde import SCHEMAS
from schemas.versions import kept_forms
from tests.unit.schemas.samples import EVENT_TYPES, events_of, filled
from tests.unit.streams.river import NOW_MS

PERSONAL = "planted words"


@given(st.data())
def test_what_is_not_personal_comes_back_from_a_file(data: st.DataObject) -> None:
    event = data.draw(st.sampled_from(EVENT_TYPES))
    drawn = data.draw(st.lists(events_of(event), min_size=1, max_size=4))
    rows = [Recorded(one, uuid4(), SCHEMAS[event].topic.name, 3, at, NOW_MS + at) for at, one in enumerate(drawn)]
    back = recorded_of(event, from_parquet(to_parquet(table_of(event, rows))))
    absent = dict.fromkeys(personal_fields(event))
    assert back == [
        Recorded(msgspec.structs.replace(one.event, **absent), one.event_id, one.topic, 3, one.offset, one.timestamp_ms)
        for one in rows
    ]


@pytest.mark.parametrize("event", EVENT_TYPES, ids=lambda event: event.type)
def test_every_event_has_columns_that_no_tool_confuses_and_nothing_personal(event: type[Event]) -> None:
    names = schema_of(event).names
    assert len(set(names)) == len(names)
    assert not {"type", "hour", *PLACE} & set(own_fields(event)), "what a path says, or every type has"
    assert not set(personal_fields(event)) & set(names)
    row = Recorded(filled(event, PERSONAL), UUID(int=7), SCHEMAS[event].topic.name, 0, 0, NOW_MS)
    file = to_parquet(table_of(event, [row]))
    assert PERSONAL.encode() not in file
    assert version_in(from_parquet(file)) == len(kept_forms(event))
    assert to_parquet(table_of(event, [row])) == file, "whoever writes it again"


def test_a_column_that_came_later_has_its_default() -> None:
    event = next(one for one in EVENT_TYPES if one.type == "comment.created")
    row = Recorded(filled(event, "x"), UUID(int=7), "comments", 0, 0, NOW_MS)
    before = from_parquet(to_parquet(table_of(event, [row]))).drop_columns(["parent_id"])
    (back,) = recorded_of(event, before)
    assert getattr(back.event, "parent_id", 0) is None


def test_a_field_that_came_later_into_a_list_has_its_default() -> None:
    published = filled(PostPublished, "x")
    assert isinstance(published, PostPublished)
    table = table_of(PostPublished, [Recorded(published, UUID(int=7), "posts", 0, 0, NOW_MS)])
    media = [
        [{name: item[name] for name in ("media_id", "width", "height", "variants")} for item in items]
        for items in table.column("media").to_pylist()
    ]
    before = table.drop_columns(["media"]).append_column("media", pa.array(media))
    (back,) = recorded_of(PostPublished, from_parquet(to_parquet(before)))
    assert isinstance(back.event, PostPublished)
    assert back.event.media
    assert {(item.kind, item.duration_ms, item.blurhash) for item in back.event.media} == {("photo", 0, "")}


def test_a_file_of_an_old_version_is_read_as_what_it_meant() -> None:
    row = Recorded(AccountSuspended(account_id=1, reason="spam", operator="op"), UUID(int=7), "accounts", 0, 0, NOW_MS)
    table = table_of(AccountSuspended, [row]).drop_columns(["note", "reason"])
    words = table.append_column("reason", pa.array(["Spam: sold watches"]))
    before = words.replace_schema_metadata({b"photolog.version": b"1"})
    (back,) = recorded_of(AccountSuspended, from_parquet(to_parquet(before)))
    assert back.event == AccountSuspended(account_id=1, reason="spam", operator="op", note="Spam: sold watches")


def test_a_files_key_tells_what_it_is() -> None:
    file = ExportFile("post.liked", hour_of(NOW_MS), "likes", 11, 42)
    assert file.key == "events/type=post.liked/hour=2026-09-21T14/likes-11-00000000000000000042.parquet"
    assert parsed(file.key) == file
    assert parsed("events/type=post.liked/readme") is None
