"""The header that names places in the log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photolog.errors import Invalid
from photolog.positions import HEADER, POSITIONS_MAX, Position, format_positions, parse_positions

topics = st.from_regex(r"[a-z][a-z0-9._-]{0,20}", fullmatch=True)
positions = st.builds(Position, topics, st.integers(0, 99_999), st.integers(0, 2**63 - 1))


def test_a_position_reads_as_topic_partition_and_offset() -> None:
    assert format_positions([Position("posts", 3, 12)]) == "posts/3@12"
    assert parse_positions("posts/3@12") == (Position("posts", 3, 12),)


@given(st.lists(positions, max_size=POSITIONS_MAX, unique_by=lambda one: (one.topic, one.partition)))
def test_what_was_written_is_read(some: list[Position]) -> None:
    assert set(parse_positions(format_positions(some))) == set(some)


def test_only_the_newest_offset_of_a_partition_is_written() -> None:
    some = [Position("posts", 1, 9), Position("posts", 1, 10), Position("posts", 1, 2), Position("graph", 1, 3)]
    assert format_positions(some) == "graph/1@3,posts/1@10"


def test_an_empty_header_names_nothing() -> None:
    assert parse_positions("") == ()
    assert format_positions([]) == ""


def test_spaces_and_empty_parts_are_skipped() -> None:
    assert parse_positions(" posts/0@1 ,, graph/2@3,") == (Position("posts", 0, 1), Position("graph", 2, 3))


@pytest.mark.parametrize(
    "header",
    [
        "posts",
        "posts/3",
        "posts@3",
        "posts/@3",
        "posts/3@",
        "posts/-1@3",
        "posts/1@-3",
        "Posts/1@3",
        "/1@3",
        "posts/1@3;graph/1@3",
        "posts/1@3 graph/1@3",
        "posts/123456@3",
        "posts/1@12345678901234567890",
        "posts/1@9223372036854775808",
        "posts/३@3",
        "posts/1@３",
        "p" * 65 + "/1@3",
        '"posts/1@3"',
    ],
)
def test_a_malformed_header_names_itself(header: str) -> None:
    with pytest.raises(Invalid) as raised:
        parse_positions(header)
    assert (raised.value.kind, raised.value.field) == ("malformed-position", HEADER)


def test_a_header_is_bounded() -> None:
    some = [f"posts/{partition}@1" for partition in range(POSITIONS_MAX)]
    assert len(parse_positions(",".join(some))) == POSITIONS_MAX
    with pytest.raises(Invalid, match="at most 16"):
        parse_positions(",".join([*some, "graph/0@1"]))
