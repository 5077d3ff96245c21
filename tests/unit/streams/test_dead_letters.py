"""Records that cannot be processed go to the dead-letter topic, alone, with their bytes, place and reason."""

from typing import Any

import pytest

from photolog.log.dead_letters import dead_letter
from photolog.log.record import EncodedRecord, StoredRecord
from projections.likes import LIKE_COUNTS
from projections.posts import POSTS
from schemas import events as e
from schemas.topics import LIKES
from schemas.topics import POSTS as POSTS_TOPIC
from tests.unit.streams.river import SERDE, River, encoded
from tests.unit.streams.scenario import ANNA, BERT, post

GOOD = encoded(e.PostLiked(actor_id=ANNA, post_id=2))


def record_with(**changes: Any) -> EncodedRecord:
    fields = {name: getattr(GOOD, name) for name in GOOD.__struct_fields__}
    return EncodedRecord(**{**fields, **changes})


POISON = {
    "garbage": record_with(value=b"\xff\xfe garbage"),
    "wrong magic": record_with(value=b"\x07" + GOOD.value[1:]),
    "unknown schema id": record_with(value=b"\x00\x00\x0f\xff\xff" + GOOD.value[5:]),
    "cut short": record_with(value=GOOD.value[:-1]),
    "bytes left over": record_with(value=GOOD.value + b"\x00"),
    "no value": record_with(value=None),
    "empty": record_with(value=b""),
    "another topic's event": record_with(value=encoded(post(5, ANNA, 6)).value),
    "no event id": record_with(headers=()),
    "malformed event id": record_with(headers=(("ce_id", b"\xff\x00"),)),
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
async def test_poison_goes_aside_and_what_surrounds_it_is_applied(poison: EncodedRecord) -> None:
    river = River()
    river.append(e.PostLiked(actor_id=ANNA, post_id=1))
    place = river.log.append(poison)
    river.append(e.PostLiked(actor_id=BERT, post_id=3))
    await river.pump()
    (letter,) = river.log.of(LIKES.dead_letters)
    assert (letter.key, letter.value) == (poison.key, poison.value or b"")
    assert letter.header("dead_reason").startswith(b"undecodable: ")
    told = [letter.header(f"dead_{name}") for name in ("topic", "partition", "offset", "projection")]
    assert told == [b"likes", b"%d" % place.partition, b"%d" % place.offset, b"likes"]
    likers = [await river.rows.scan(LIKE_COUNTS, (post_id,), limit=9) for post_id in (1, 3)]
    assert [rows[0].count for rows in likers] == [1, 1]


async def test_an_event_on_which_the_fold_raises_goes_aside_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    river = River()
    projection = river.steps[LIKES.name][0]._work._projection  # type: ignore[attr-defined]
    fold = type(projection).project

    def raises_on_two(self: object, rows: object, recorded: Any) -> Any:
        if recorded.event.post_id == 2:
            raise RuntimeError("the caption was: secret words")
        return fold(self, rows, recorded)

    monkeypatch.setattr(type(projection), "project", raises_on_two)
    river.append(*(e.PostLiked(actor_id=11 * post_id, post_id=post_id) for post_id in (1, 2, 3)))
    await river.pump(batch_records=10)
    (letter,) = river.log.of(LIKES.dead_letters)
    reason = letter.header("dead_reason").decode()
    counts = [await river.rows.scan(LIKE_COUNTS, (post_id,), limit=9) for post_id in (1, 2, 3)]
    assert [sum(row.count for row in rows) for rows in counts] == [1, 0, 1]
    assert reason.startswith("fold raised: RuntimeError at test_dead_letters.py:")
    assert "secret" not in reason


async def test_the_position_waits_until_the_dead_letter_is_acknowledged() -> None:
    river = River()
    river.log.append(POISON["garbage"])
    river.log.away = 2
    await river.pump()
    assert len(river.log.of(LIKES.dead_letters)) == 1
    assert sum(stored.next_offset for stored in (await river.rows.positions("likes")).values()) == 1


async def test_a_sealed_value_that_does_not_open_goes_aside_and_an_erased_one_is_absent() -> None:
    river = River()
    river.keys.erased.add(ANNA)
    river.append(post(101, ANNA, 501))
    await river.pump()
    erased = await river.rows.get(POSTS.key(101))
    sealed = SERDE.encode(post(102, 77, 501), lambda _: bytes(32))
    intact = encoded(post(102, 77, 501))
    river.log.append(
        EncodedRecord(
            topic=intact.topic, key=intact.key, value=sealed, headers=intact.headers, timestamp_ms=intact.timestamp_ms
        )
    )
    await river.pump()
    assert (erased.caption, erased.hashtags) == (None, [])
    assert len(river.log.of(POSTS_TOPIC.dead_letters)) == 1


def test_a_letter_keeps_the_headers_and_replaces_those_of_an_earlier_death() -> None:
    record = StoredRecord("likes", 1, 9, None, None, (("ce_id", b"x"), ("dead_reason", b"old")), -1)
    letter = dead_letter(record, "likes.dead", "likes", "r" * 900)
    assert letter.headers[0] == ("ce_id", b"x")
    assert [value for name, value in letter.headers if name == "dead_reason"] == [b"r" * 300]
    assert dict(letter.headers)["dead_null"] == b"key,value"
    assert (letter.key, letter.value, letter.timestamp_ms) == (b"", b"", 0)
