"""Signed addresses: good for their path, their viewer and their time, under any key that is still accepted."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from photolog.errors import Forbidden
from photolog.media.signing import AddressSigner, derived_key

PATH = "/media/7/320x320/cover.jpeg"
NOW_MS = 1_700_000_000_500
OLD, NEW = b"o" * 32, b"n" * 32


class Clock:
    now_ms = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


def parts(address: str) -> tuple[str, str]:
    path, _, query = address.partition("?")
    return path, query


@pytest.mark.parametrize("viewer_id", [None, 5])
def test_a_signed_address_says_for_whom_it_is(clock: Clock, viewer_id: int | None) -> None:
    signer = AddressSigner([NEW], clock)
    assert signer.verify(*parts(signer.sign(PATH, viewer_id, 60))).viewer_id == viewer_id


@given(st.data())
def test_one_that_was_changed_anywhere_is_refused(data: st.DataObject) -> None:
    signer = AddressSigner([NEW], lambda: NOW_MS)
    address = signer.sign(PATH, data.draw(st.sampled_from([None, 5])), 60)
    at = data.draw(st.integers(0, len(address) - 1))
    other = data.draw(st.characters(codec="ascii"))
    changed = address[:at] + other + address[at + 1 :]
    path, query = parts(changed)
    # The last digit of a signature holds two bits that say nothing; such a one is another text, and refused as well.
    assume(changed != address and query)
    with pytest.raises(Forbidden):
        signer.verify(path, query)


def test_its_time_is_over_when_it_says(clock: Clock) -> None:
    signer = AddressSigner([NEW], clock)
    address = signer.sign(PATH, None, 60)
    clock.now_ms += 59_000
    signer.verify(*parts(address))
    clock.now_ms += 1_000
    with pytest.raises(Forbidden, match="time") as refused:
        signer.verify(*parts(address))
    assert refused.value.kind == "address-expired"


def test_a_key_is_replaced_without_an_address_breaking(clock: Clock) -> None:
    before, between, after = (AddressSigner(keys, clock) for keys in ([OLD], [NEW, OLD], [NEW]))
    old, new = before.sign(PATH, 5, 60), between.sign(PATH, 5, 60)
    between.verify(*parts(old))
    after.verify(*parts(new))
    for signer, address in ((before, new), (after, old)):
        with pytest.raises(Forbidden):
            signer.verify(*parts(address))


def test_the_viewer_and_the_time_cannot_be_moved_into_each_other(clock: Clock) -> None:
    signer = AddressSigner([NEW], clock)
    query = parts(signer.sign(PATH, 5, 60))[1]
    with pytest.raises(Forbidden):
        signer.verify(PATH, query.replace("&viewer=5", ""))
    with pytest.raises(Forbidden):
        signer.verify(PATH, f"{query}&viewer=6")


def test_without_a_key_nothing_is_signed(clock: Clock) -> None:
    with pytest.raises(ValueError, match="key"):
        AddressSigner([], clock)


def test_a_derived_key_is_another_one() -> None:
    assert derived_key(OLD) not in (OLD, derived_key(NEW))
    assert len(derived_key(OLD)) == 32
