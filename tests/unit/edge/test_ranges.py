"""Parts of files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.ranges import NotSatisfiable, Part, wanted_part

ETAG = '"one"'


@given(st.integers(0, 60), st.none() | st.integers(0, 60), st.integers(0, 50))
def test_a_part_is_what_the_standard_says(first: int, last: int | None, size: int) -> None:
    header = f"bytes={first}-{'' if last is None else last}"
    content = bytes(range(size))
    if last is not None and last < first:
        assert wanted_part(header, None, size, ETAG) is None
    elif first >= size:
        with pytest.raises(NotSatisfiable):
            wanted_part(header, None, size, ETAG)
    else:
        part = wanted_part(header, None, size, ETAG)
        assert part is not None
        assert content[part.start : part.end] == content[first : None if last is None else last + 1]


@given(st.integers(0, 60), st.integers(1, 50))
def test_an_end_is_counted_from_behind(length: int, size: int) -> None:
    if length == 0:
        with pytest.raises(NotSatisfiable):
            wanted_part("bytes=-0", None, size, ETAG)
        return
    part = wanted_part(f"bytes=-{length}", None, size, ETAG)
    assert part == Part(max(0, size - length), size, size)


@pytest.mark.parametrize("header", [None, "", "bytes=-", "bytes=0-1,3-4", "lines=0-1", "bytes=a-b", "bytes=1-0"])
def test_what_is_no_single_range_gives_the_file_whole(header: str | None) -> None:
    assert wanted_part(header, None, 10, ETAG) is None


@pytest.mark.parametrize("if_range", ['"another"', 'W/"one"', "Mon, 30 Nov 2026 16:00:00 GMT", ""])
def test_another_file_than_the_client_began_is_given_whole(if_range: str) -> None:
    assert wanted_part("bytes=2-3", if_range, 10, ETAG) is None
    assert wanted_part("bytes=2-3", ETAG, 10, ETAG) == Part(2, 4, 10)


def test_a_part_says_which_it_is() -> None:
    assert Part(2, 4, 10).content_range == "bytes 2-3/10"


@given(st.text(), st.none() | st.text())
def test_whatever_is_asked_for_a_part_is_inside_the_file(header: str, if_range: str | None) -> None:
    try:
        part = wanted_part(header, if_range, 10, ETAG)
    except NotSatisfiable:
        return
    assert part is None or 0 <= part.start < part.end <= 10
