"""Sealed values: they open with the right key in the right place, and in no other way."""

import pytest
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap
from hypothesis import given
from hypothesis import strategies as st

from photolog.errors import Corruption
from photolog.seal import KEY_BYTES, new_key, place, seal, unseal, unwrap, wrap

PLACE = place("post.created", "caption", 7)


@given(st.binary(max_size=4_000))
def test_what_was_sealed_opens(plaintext: bytes) -> None:
    key = new_key()
    assert unseal(key, seal(key, plaintext, PLACE), PLACE) == plaintext


def test_the_same_text_never_looks_the_same() -> None:
    key = new_key()
    assert len({seal(key, b"same", PLACE) for _ in range(1_000)}) == 1_000


def test_a_sealed_value_does_not_show_its_text() -> None:
    assert b"caption of mine" not in seal(new_key(), b"caption of mine", PLACE)


def test_another_key_does_not_open_it() -> None:
    sealed = seal(new_key(), b"text", PLACE)
    with pytest.raises(Corruption, match=r"post\.created/caption/7"):
        unseal(new_key(), sealed, PLACE)


@pytest.mark.parametrize(
    "elsewhere",
    [
        place("post.created", "caption", 8),
        place("post.created", "alt_texts", 7),
        place("comment.created", "caption", 7),
    ],
)
def test_a_sealed_value_that_was_moved_does_not_open(elsewhere: bytes) -> None:
    key = new_key()
    with pytest.raises(Corruption):
        unseal(key, seal(key, b"text", PLACE), elsewhere)


def test_any_changed_or_missing_byte_is_noticed() -> None:
    key = new_key()
    sealed = seal(key, b"text", PLACE)
    changed = [sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed))]
    for broken in (*changed, sealed[:-1], sealed + b"\x00"):
        with pytest.raises(Corruption):
            unseal(key, broken, PLACE)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + bytes(12), b"\x02" + bytes(40), b"plain text in the log"])
def test_what_was_never_sealed_does_not_open(sealed: bytes) -> None:
    with pytest.raises(Corruption):
        unseal(new_key(), sealed, PLACE)


def test_a_wrapped_key_comes_back_under_its_master_key_only() -> None:
    master, key = new_key(), new_key()
    wrapped = wrap(master, key)
    assert len(key) == KEY_BYTES
    assert key not in wrapped
    assert unwrap(master, wrapped) == key
    with pytest.raises(InvalidUnwrap):
        unwrap(new_key(), wrapped)


def test_keys_are_distinct() -> None:
    assert len({new_key() for _ in range(100)}) == 100
