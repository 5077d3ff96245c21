"""Addresses at the edge: one spelling each, and nothing else is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photolog.media.addresses import SIDE_PX_MAX, Fit, Picture, PictureFormat, StoredFile, parse_address
from photolog.media.sizes import LISTED

ids = st.integers(1, 2**63 - 1)
sides = st.integers(1, SIDE_PX_MAX)
pictures = st.builds(Picture, ids, sides, sides, st.sampled_from(Fit), st.sampled_from(PictureFormat))
words = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,8}(\.[a-z0-9]{1,4})?", fullmatch=True)
files = st.builds(StoredFile, ids, st.lists(words, min_size=1, max_size=4).map("/".join))


@given(pictures | files)
def test_what_is_written_is_read_as_what_it_was(address: Picture | StoredFile) -> None:
    assert parse_address(address.path) == address


@given(st.text() | pictures.map(lambda one: one.path).flatmap(lambda path: st.text(min_size=1).map(path.__add__)))
def test_what_is_read_has_one_spelling(path: str) -> None:
    address = parse_address(path)
    assert address is None or address.path == path


@pytest.mark.parametrize(
    "path",
    [
        "/media/0/320x320/cover.jpeg",
        "/media/07/320x320/cover.jpeg",
        "/media/7/0320x320/cover.jpeg",
        "/media/7/4097x10/cover.jpeg",
        "/media/7/320x320/cover.jpg",
        "/media/7/320x320/fill.jpeg",
        "/media/7/320x320/cover.jpeg/",
        "/media/7/320x320/cover.jpeg\n",
        "/media/7/file/",
        "/media/7/file/../8/file/a",
        "/media/7/file/a//b",
        "/media/7/file/.hidden",
        "/media/7/file/%61",
        f"/media/7/file/{'a' * 201}",
    ],
)
def test_nothing_else_is_an_address(path: str) -> None:
    assert parse_address(path) is None


def test_a_listed_size_is_within_what_an_address_can_say() -> None:
    assert max(max(size) for size in LISTED) <= SIDE_PX_MAX
