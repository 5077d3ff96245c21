"""What every versioned cache must do."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from photolog.ids import now_ms, slot_of
from projections.stores.memory_cache import MemoryCache
from projections.stores.port import MISSING, CacheWrite, VersionedCache
from projections.stores.redis_cache import RedisCache
from tests.contract.sample_tables import fresh_id

FIELDS_MAX = 30
LIFE_MS = 600
SEAL_MS = 300


@dataclass(frozen=True, slots=True)
class CacheSubject:
    store: VersionedCache
    wait: Callable[[int], Awaitable[None]]
    now_ms: Callable[[], int] = now_ms


def _memory_subject() -> CacheSubject:
    clock_ms = [0]

    async def wait(period_ms: int) -> None:
        clock_ms[0] += period_ms

    return CacheSubject(MemoryCache(LIFE_MS, FIELDS_MAX, SEAL_MS, lambda: clock_ms[0]), wait, lambda: clock_ms[0])


@pytest.fixture(
    params=[
        "memory",
        pytest.param("node_client", marks=pytest.mark.integration),
        pytest.param("cluster_client", marks=pytest.mark.integration),
    ]
)
def subject(request: pytest.FixtureRequest) -> CacheSubject:
    if request.param == "memory":
        return _memory_subject()

    async def wait(period_ms: int) -> None:
        await asyncio.sleep(period_ms / 1_000)

    client = request.getfixturevalue(request.param)
    return CacheSubject(RedisCache(client, LIFE_MS, FIELDS_MAX, SEAL_MS), wait)


def fresh_key() -> str:
    owner = fresh_id()
    return f"cards:{{{slot_of(owner)}}}:{owner}"


def write(key: str, field: str, version: int, value: bytes | None) -> CacheWrite:
    return CacheWrite(key, field, version, value)


async def test_what_was_never_written_is_missing(subject: CacheSubject) -> None:
    key = fresh_key()
    await subject.store.merge([write(key, "a", 1, b"x")])
    assert await subject.store.read([(key, ("a", "b")), (fresh_key(), ("a",))]) == [[b"x", MISSING], [MISSING]]


async def test_known_to_be_absent_is_not_missing_and_not_empty(subject: CacheSubject) -> None:
    key = fresh_key()
    await subject.store.merge([write(key, "absent", -1, None), write(key, "empty", 1, b"")])
    assert await subject.store.read([(key, ("absent", "empty"))]) == [[None, b""]]


async def test_any_bytes_come_back(subject: CacheSubject) -> None:
    key, value = fresh_key(), bytes(range(256)) + b"|1|"
    await subject.store.merge([write(key, "a", 7, value)])
    assert await subject.store.read([(key, ("a",))]) == [[value]]


@pytest.mark.parametrize("older", [-1, 0, 9, 10])
async def test_a_field_never_goes_back_to_an_older_version(subject: CacheSubject, older: int) -> None:
    key = fresh_key()
    await subject.store.merge([write(key, "a", 10, b"new")])
    await subject.store.merge([write(key, "a", older, b"old")])
    assert await subject.store.read([(key, ("a",))]) == [[b"new"]]


async def test_a_newer_version_wins_also_over_absence(subject: CacheSubject) -> None:
    key = fresh_key()
    await subject.store.merge([write(key, "a", -1, None)])
    await subject.store.merge([write(key, "a", 0, b"there")])
    await subject.store.merge([write(key, "a", 1 << 52, None)])
    await subject.store.merge([write(key, "a", (1 << 52) - 1, b"late")])
    assert await subject.store.read([(key, ("a",))]) == [[None]]


async def test_the_newest_of_one_merge_wins_in_any_order(subject: CacheSubject) -> None:
    key = fresh_key()
    await subject.store.merge([write(key, "a", 2, b"two"), write(key, "a", 3, b"three"), write(key, "a", 1, b"one")])
    assert await subject.store.read([(key, ("a",))]) == [[b"three"]]


async def test_many_entries_are_read_in_order(subject: CacheSubject) -> None:
    keys = [fresh_key() for _ in range(300)]
    await subject.store.merge([write(key, "a", 1, key.encode()) for key in keys])
    wanted = [(key, ("a", "b")) for key in reversed(keys)]
    assert await subject.store.read(wanted) == [[key.encode(), MISSING] for key in reversed(keys)]


async def test_nothing_asked_is_nothing_answered(subject: CacheSubject) -> None:
    await subject.store.merge([])
    assert await subject.store.read([]) == []


async def test_reading_the_same_entry_twice_answers_twice(subject: CacheSubject) -> None:
    key = fresh_key()
    await subject.store.merge([write(key, "a", 1, b"x"), write(key, "b", 1, b"y")])
    assert await subject.store.read([(key, ("a",)), (key, ("b", "a"))]) == [[b"x"], [b"y", b"x"]]


async def test_all_fields_of_an_entry_are_read_at_once(subject: CacheSubject) -> None:
    key, value = fresh_key(), bytes(range(256))
    assert await subject.store.read_all(key) == {}
    await subject.store.merge([write(key, "a", 1, value), write(key, "b", -1, None), write(key, "c", 2, b"")])
    await subject.store.merge([write(key, "a", 0, b"old"), write(key, "c", 3, b"new")])
    assert await subject.store.read_all(key) == {"a": value, "b": None, "c": b"new"}
    await subject.store.drop([key])
    assert await subject.store.read_all(key) == {}


async def test_a_sealed_entry_has_no_fields(subject: CacheSubject) -> None:
    key = fresh_key()
    await subject.store.merge([write(key, str(number), 1, b"x") for number in range(FIELDS_MAX + 1)])
    assert await subject.store.read_all(key) == {}


async def test_a_dropped_entry_is_forgotten(subject: CacheSubject) -> None:
    kept, dropped = fresh_key(), fresh_key()
    await subject.store.merge([write(kept, "a", 5, b"x"), write(dropped, "a", 5, b"x")])
    await subject.store.drop([dropped, fresh_key()])
    assert await subject.store.read([(kept, ("a",)), (dropped, ("a",))]) == [[b"x"], [MISSING]]


async def test_writing_renews_the_life_of_an_entry_and_reading_does_not(subject: CacheSubject) -> None:
    written, read = fresh_key(), fresh_key()
    await subject.store.merge([write(key, "a", 1, b"x") for key in (written, read)])
    for version in range(2, 5):
        await subject.wait(LIFE_MS * 2 // 5)
        await subject.store.merge([write(written, "b", version, b"y")])
        await subject.store.read([(read, ("a",))])
    assert await subject.store.read([(written, ("a",)), (read, ("a",))]) == [[b"x"], [MISSING]]


async def test_an_entry_with_an_end_is_there_until_then_and_no_longer(subject: CacheSubject) -> None:
    key, over, ends_ms = fresh_key(), fresh_key(), subject.now_ms() + 2 * LIFE_MS
    await subject.store.merge([CacheWrite(key, "a", 1, b"x", ends_ms), CacheWrite(over, "a", 1, b"x", ends_ms - 9_000)])
    await subject.wait(LIFE_MS * 3 // 2)
    await subject.store.merge([CacheWrite(key, "b", 2, b"y", ends_ms)])
    assert await subject.store.read([(key, ("a", "b")), (over, ("a",))]) == [[b"x", b"y"], [MISSING]]
    await subject.wait(LIFE_MS * 3 // 4)
    assert await subject.store.read([(key, ("a", "b"))]) == [[MISSING, MISSING]]


async def test_an_entry_that_outgrows_its_bound_is_forgotten_and_sealed_for_a_while(subject: CacheSubject) -> None:
    key = fresh_key()
    await subject.store.merge([write(key, str(number), 1, b"x") for number in range(FIELDS_MAX)])
    assert await subject.store.read([(key, ("0",))]) == [[b"x"]]
    await subject.store.merge([write(key, "0", 2, b"new"), write(key, "one more", 1, b"x")])
    assert await subject.store.read([(key, ("0", "one more"))]) == [[MISSING, MISSING]]
    # A reader that read its row before the change writes after it: nothing may be believed of it.
    await subject.store.merge([write(key, "0", 1, b"old")])
    assert await subject.store.read([(key, ("0",))]) == [[MISSING]]
    await subject.wait(SEAL_MS + 100)
    await subject.store.merge([write(key, "0", 2, b"new")])
    assert await subject.store.read([(key, ("0",))]) == [[b"new"]]


async def test_a_sum_is_missing_until_all_its_parts_are_said_to_be_there(subject: CacheSubject) -> None:
    key = fresh_key()
    await subject.store.merge([write(key, "likes/0", 5, b"2")])
    assert await subject.store.read([(key, ("likes",))]) == [[MISSING]]
    await subject.store.merge([write(key, "likes/1", 3, b"40"), write(key, "likes/*", 0, None)])
    assert await subject.store.read([(key, ("likes",))]) == [[b"42"]]


async def test_a_sum_follows_its_parts(subject: CacheSubject) -> None:
    key = fresh_key()
    await subject.store.merge([write(key, "likes/*", 0, None)])
    assert await subject.store.read([(key, ("likes", "comments"))]) == [[b"0", MISSING]]
    for part, version, value in (("0", 5, b"2"), ("1", 3, b"9"), ("0", 4, b"100"), ("0", 6, b"1"), ("1", 3, b"50")):
        await subject.store.merge([write(key, f"likes/{part}", version, value), write(key, "comments/0", 1, b"7")])
    await subject.store.merge([write(key, "likes/1", 9, None)])
    assert await subject.store.read([(key, ("likes",))]) == [[b"1"]]


async def test_a_part_written_before_the_sum_was_complete_counts_once(subject: CacheSubject) -> None:
    key = fresh_key()
    await subject.store.merge([write(key, "likes/0", 8, b"3")])
    for _ in range(2):
        # A reader that read the rows before the job wrote them.
        await subject.store.merge([write(key, "likes/0", 7, b"2"), write(key, "likes/*", 0, None)])
    assert await subject.store.read([(key, ("likes",))]) == [[b"3"]]


_writes = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from(["a", "b", "n/0", "n/1", "n/*"]), st.integers(-1, 6), st.integers(0, 99)
    ),
    max_size=40,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(batches=st.lists(_writes, max_size=4))
async def test_any_writes_in_any_batches_leave_the_newest_of_each_field(
    subject: CacheSubject, batches: list[list[tuple[int, str, int, int]]]
) -> None:
    keys = [fresh_key() for _ in range(3)]
    newest: dict[tuple[int, str], tuple[int, bytes]] = {}
    complete = set()
    for batch in batches:
        for place, field, version, value in batch:
            if field == "n/*":
                complete.add(place)
            elif version > newest.get((place, field), (-2, b""))[0]:
                newest[place, field] = (version, b"%d" % value)
        await subject.store.merge(
            [write(keys[place], field, version, b"%d" % value) for place, field, version, value in batch]
        )
    found = await subject.store.read([(key, ("a", "b", "n/0", "n/1", "n")) for key in keys])
    for place, values in enumerate(found):
        fields = [newest.get((place, field)) for field in ("a", "b", "n/0", "n/1")]
        assert values[:4] == [MISSING if field is None else field[1] for field in fields]
        parts = sum(int(field[1]) for field in fields[2:] if field is not None)
        assert values[4] == (b"%d" % parts if place in complete else MISSING)
