"""Cursors of streams: only our own come back, to their own grant and types, and never to another place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cursors import Cursors
from gateway.streams.cursors import CURSOR_CHARACTERS_MAX, StreamCursors, begun
from gateway.streams.filters import PUBLIC, PUBLIC_TOPICS, Filter
from photolog.errors import Conflict, Gone, Invalid, Refusal

SIGNER = Cursors(b"k" * 32)
EVERYTHING = Filter(tuple(PUBLIC), 1.0)
OWN = StreamCursors(SIGNER, "00" * 8, EVERYTHING)
PLACES = [(topic.name, partition) for topic in PUBLIC_TOPICS for partition in range(4)]
offsets = st.integers(0, 2**62)
everywhere = st.fixed_dictionaries(dict.fromkeys(PLACES, offsets))


@given(where=everywhere)
def test_a_cursor_comes_back_as_it_was(where: dict[tuple[str, int], int]) -> None:
    assert OWN.decode(OWN.encode(where)) == where


@given(where=everywhere)
def test_a_cursor_of_many_partitions_is_one_that_can_be_sent(where: dict[tuple[str, int], int]) -> None:
    assert len(OWN.encode(where)) <= CURSOR_CHARACTERS_MAX


@given(text=st.text(max_size=CURSOR_CHARACTERS_MAX + 10))
def test_garbage_is_refused_by_name(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        OWN.decode(text)
    assert (refused.value.kind, refused.value.field) == ("malformed-cursor", "cursor")


@given(where=everywhere, data=st.data())
def test_an_altered_cursor_is_refused(where: dict[tuple[str, int], int], data: st.DataObject) -> None:
    text = OWN.encode(where)
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from([*"ABCxyz019-_", ""]).filter(lambda letter: letter != text[at]))
    with pytest.raises(Invalid):
        OWN.decode(text[:at] + other + text[at + 1 :])


@given(where=everywhere)
def test_another_grants_or_another_filters_cursor_is_refused(where: dict[tuple[str, int], int]) -> None:
    text = OWN.encode(where)
    for other in (
        StreamCursors(SIGNER, "01" * 8, EVERYTHING),
        StreamCursors(SIGNER, "00" * 8, Filter(tuple(PUBLIC)[1:], 1.0)),
        StreamCursors(Cursors(b"x" * 32), "00" * 8, EVERYTHING),
    ):
        with pytest.raises(Invalid):
            other.decode(text)
    assert StreamCursors(SIGNER, "00" * 8, Filter(EVERYTHING.types, 0.5)).decode(text) == where


@given(
    place=st.tuples(offsets, st.integers(0, 1_000), st.integers(0, 1_000)),
    cursor=st.one_of(st.none(), st.integers(0, 2**62 + 3_000)),
)
def test_a_cursor_begins_where_it_says_or_is_an_error(place: tuple[int, int, int], cursor: int | None) -> None:
    start, end = place[0], place[0] + place[1]
    at = {} if cursor is None else {("likes", 0): cursor}
    wanted = 0 if cursor is None else cursor
    starts, ends = {("likes", 0): start}, {("likes", 0): end}
    if wanted < start:
        with pytest.raises(Gone):
            begun(at, starts, ends)
    elif wanted > end:
        with pytest.raises(Conflict):
            begun(at, starts, ends)
    else:
        assert begun(at, starts, ends) == {("likes", 0): wanted}


def test_a_partition_that_a_topic_grew_by_begins_at_its_start() -> None:
    found = begun({("likes", 0): 7}, {("likes", 0): 0, ("likes", 1): 0}, {("likes", 0): 9, ("likes", 1): 4})
    assert found == {("likes", 0): 7, ("likes", 1): 0}


def test_a_partition_that_there_never_was_is_another_logs() -> None:
    with pytest.raises(Refusal, match="ahead of the log"):
        begun({("likes", 1): 0}, {("likes", 0): 0}, {("likes", 0): 9})
