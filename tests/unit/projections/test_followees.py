"""Cached lists of followees: what is listed, and how far down it is complete."""

from hypothesis import given
from hypothesis import strategies as st

from projections.followees import Followees, floor_write, followee_write, parse_followees
from projections.stores.memory_cache import MemoryCache


def fields_of(*writes: object) -> dict[str, bytes | None]:
    return {write.field: write.value for write in writes}  # type: ignore[attr-defined]


def test_followees_stand_newest_first_without_those_who_are_followed_no_more() -> None:
    fields = fields_of(
        followee_write(1, 20, 5, 0),
        followee_write(1, 30, 7, 1),
        followee_write(1, 40, None, 2),
        followee_write(1, 10, 5, 3),
        floor_write(1, None),
    )
    assert parse_followees(fields) == Followees([30, 10, 20], None)


def test_a_list_that_does_not_say_how_far_it_reaches_is_none() -> None:
    assert parse_followees({}) is None
    assert parse_followees(fields_of(followee_write(1, 20, 5, 0))) is None


def test_the_floor_is_a_place() -> None:
    assert parse_followees(fields_of(floor_write(1, (12, 345)))) == Followees([], (12, 345))


@given(st.permutations([(7, 5), (9, None), (8, 6)]))
async def test_a_followee_never_goes_back_to_an_older_state(changes: list[tuple[int, int | None]]) -> None:
    cache = MemoryCache()
    for offset, since_ms in changes:
        await cache.merge([followee_write(1, 20, since_ms, offset), floor_write(1, None)])
    write = floor_write(1, None)
    assert parse_followees(await cache.read_all(write.key)) == Followees([], None)
