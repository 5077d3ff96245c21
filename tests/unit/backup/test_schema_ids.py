"""Every id means after a restore what records carry it for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backup.schema_ids import restore_ids
from photolog.errors import Conflict
from tests.unit.backup.world import MemoryRegistry


def text(name: str) -> str:
    return json.dumps({"type": "record", "name": name, "fields": []})


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("uvwxyz")), max_size=12), st.integers(0, 5))
def test_ids_are_the_same_in_a_fresh_registry(registered: list[tuple[str, str]], others: int) -> None:
    before, fresh = MemoryRegistry(), MemoryRegistry()
    for number, (subject, name) in enumerate(registered):
        if number < others:
            before.register(f"photolog-filler-of-somebody-{number}", text(f"somebody_{number}"))
        before.register(subject, text(name))
    versions = before.versions()
    assert restore_ids(fresh, versions) == len(versions)
    assert {(one.subject, one.schema_id, one.text) for one in fresh.versions()} == {
        (one.subject, one.schema_id, one.text) for one in versions
    }
    assert restore_ids(fresh, versions) == 0


def test_the_registry_of_the_log_is_left_as_it_is() -> None:
    before = MemoryRegistry()
    before.register("a", text("u"))
    last = before.last
    assert restore_ids(before, before.versions()) == 0
    assert before.last == last


def test_what_is_written_otherwise_and_means_the_same_is_the_same() -> None:
    before, there = MemoryRegistry(), MemoryRegistry()
    before.register("a", text("u"))
    there.register("a", '{ "name":"u", "type":"record", "fields":[] }')
    assert restore_ids(there, before.versions()) == 0


@pytest.mark.parametrize("taken", [1, 3])
def test_a_registry_that_gave_ids_away_is_refused(taken: int) -> None:
    before, there = MemoryRegistry(), MemoryRegistry()
    for name in "uvw":
        before.register("a", text(name))
    for number in range(taken):
        there.register("somebody", text(f"somebody_{number}"))
    with pytest.raises(Conflict, match="records carry id"):
        restore_ids(there, before.versions())


def test_a_run_that_died_among_the_fillers_goes_on() -> None:
    before, fresh = MemoryRegistry(), MemoryRegistry()
    for number in range(4):
        before.register("photolog-filler-of-somebody", text(f"somebody_{number}"))
    before.register("a", text("u"))
    register = fresh.register
    left = iter([True, True])

    def mortal(subject: str, schema: str) -> int:
        if next(left, None) is None:
            raise ConnectionError
        return register(subject, schema)

    fresh.register = mortal  # type: ignore[method-assign, assignment]
    with pytest.raises(ConnectionError):
        restore_ids(fresh, before.versions())
    fresh.register = register  # type: ignore[method-assign]
    assert restore_ids(fresh, before.versions()) == 1
