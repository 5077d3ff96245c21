"""Records as people are shown them."""

import base64
from collections.abc import Iterable

import msgspec

from photolog.ids import new_event_id
from photolog.log.dead_letters import dead_letter
from photolog.log.record import EncodedRecord, StoredRecord, event_headers
from schemas import events as e
from schemas.events import Event
from schemas.topics import topic_of
from schemas.viewing import Viewer
from tests.unit.schemas.samples import EVENT_TYPES, KEYS, SERDE, filled

NOW_MS = 1_796_040_000_123
SECRET = "personal, ÄÖ 秘密"


class SomeKeys:
    """The samples' keys but those of the erased."""

    def __init__(self, *erased: int) -> None:
        self._erased = erased
        self._ensured: set[int] = set()

    async def ensure(self, subject_ids: Iterable[int]) -> None:
        self._ensured.update(subject_ids)

    def key_of(self, subject_id: int) -> bytes | None:
        assert subject_id in self._ensured
        return None if subject_id in self._erased else KEYS[subject_id]


class OthersKeys(SomeKeys):
    """Gives everybody another's key."""

    def key_of(self, subject_id: int) -> bytes | None:
        return KEYS[subject_id + 1]


def stored(event: Event) -> StoredRecord:
    topic = topic_of(type(event))
    headers = event_headers(new_event_id(), event.type, NOW_MS, "test")
    return StoredRecord(topic.name, 2, 41, topic.key(event).encode(), SERDE.encode(event, KEYS.get), headers, NOW_MS)


async def test_no_personal_data_is_shown_unless_it_is_asked_for() -> None:
    for event_type in EVENT_TYPES:
        (shown,) = await Viewer(SERDE).view([stored(filled(event_type, SECRET))])
        assert shown.undecodable is None
        text = msgspec.json.encode(shown).decode()
        assert "秘密" not in text
        assert ("<sealed>" in text) is bool(SERDE.parse(stored(filled(event_type, SECRET)).value).schema.personal)


async def test_whoever_opens_sees_it_and_what_is_erased_is_marked() -> None:
    comment = stored(e.CommentCreated(comment_id=5, post_id=6, author_id=1, text=SECRET))
    (opened,) = await Viewer(SERDE, SomeKeys()).view([comment])
    (erased,) = await Viewer(SERDE, SomeKeys(1)).view([comment])
    assert opened.event is not None
    assert erased.event is not None
    assert opened.event["text"] == SECRET
    assert erased.event["text"] == "<erased>"
    assert erased.event["parent_id"] is None


async def test_where_it_is_and_what_it_is_are_told_and_ids_are_strings() -> None:
    record = stored(e.CommentDeleted(comment_id=2**60 + 1, post_id=6, deleted_by=9, parent_id=None))
    (shown,) = await Viewer(SERDE).view([record])
    assert (shown.topic, shown.partition, shown.offset, shown.key) == ("comments", 2, 41, "6")
    assert (shown.time, shown.type) == ("2026-11-30T12:00:00.123Z", "comment.deleted")
    assert shown.event_id == (record.header("ce_id") or b"").decode()
    assert shown.event is not None
    assert (shown.event["comment_id"], shown.event["deleted_by"]) == (str(2**60 + 1), "9")
    assert dict(shown.headers) == {"correlation_id": "test"}


async def test_what_is_no_event_is_shown_with_the_reason_and_its_first_bytes() -> None:
    values = [b"\xde\xad\xbe\xef not avro" * 10, None, b"\x00\x00\x0f\xff\xff?"]
    records = [StoredRecord("likes", 0, at, b"\xff", value, (), -1) for at, value in enumerate(values)]
    shown = await Viewer(SERDE).view(records)
    assert [one.event for one in shown] == [None] * 3
    reasons = [one.undecodable.reason for one in shown if one.undecodable]
    assert reasons == ["magic byte is -34, not 0", "shorter than the framing", "schema id 1048575 is unknown"]
    assert shown[0].undecodable is not None
    assert base64.b64decode(shown[0].undecodable.first_bytes) == (values[0] or b"")[:48]
    assert shown[0].undecodable.size_bytes == 130
    assert (shown[0].key, shown[0].event_id, shown[0].type) == ("\\xff", None, None)


async def test_a_sealed_value_that_does_not_open_is_undecodable_to_whoever_opens() -> None:
    comment = stored(e.CommentCreated(comment_id=5, post_id=6, author_id=1, text=SECRET))
    (shown,) = await Viewer(SERDE, OthersKeys()).view([comment])
    assert shown.undecodable is not None
    assert "does not open" in shown.undecodable.reason


async def test_a_dead_letter_tells_its_story() -> None:
    letter: EncodedRecord = dead_letter(stored(e.PostLiked(actor_id=1, post_id=2)), "likes.dead", "likes", "misplaced")
    record = StoredRecord(letter.topic, 0, 0, letter.key, letter.value, letter.headers, letter.timestamp_ms)
    (shown,) = await Viewer(SERDE).view([record])
    assert shown.event == {"actor_id": "1", "post_id": "2"}
    assert (shown.headers["dead_reason"], shown.headers["dead_offset"]) == ("misplaced", "41")
