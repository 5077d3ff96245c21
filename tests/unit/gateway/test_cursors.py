import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cursors import Cursors
from photolog.errors import Invalid

CURSORS = Cursors(b"k" * 32)
VALUES = st.lists(st.integers(-(2**63), 2**63 - 1) | st.text(max_size=40), max_size=6).map(tuple)


@given(VALUES)
def test_a_cursor_reads_back_what_it_was_made_of(values: tuple[int | str, ...]) -> None:
    assert CURSORS.decode("list:1", CURSORS.encode("list:1", values)) == values


@given(VALUES)
def test_a_cursor_belongs_to_its_list(values: tuple[int | str, ...]) -> None:
    with pytest.raises(Invalid):
        CURSORS.decode("list:2", CURSORS.encode("list:1", values))


def test_a_cursor_under_another_key_is_refused() -> None:
    with pytest.raises(Invalid):
        Cursors(b"x" * 32).decode("list:1", CURSORS.encode("list:1", (1,)))


@given(st.text(max_size=80))
def test_what_we_did_not_make_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        CURSORS.decode("list:1", text)
    assert refused.value.field == "cursor"


@pytest.mark.parametrize("change", ["{}=", "{}\n", "!{}", "{}AAAA"])
def test_a_cursor_has_one_form(change: str) -> None:
    with pytest.raises(Invalid):
        CURSORS.decode("list:1", change.format(CURSORS.encode("list:1", (1, "x"))))
