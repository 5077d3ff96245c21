"""Generations: what a rebuild, a swap, a rollback and a pruning make of the pointers."""

import pytest

from photolog.errors import Conflict
from projections.catalogue import OWNER_OF, PROJECTIONS, TABLES, TABLES_OF
from projections.generations import FIRST_GENERATIONS, Generations, Pointers, Selection, generation_table
from projections.likes import LIKE_COUNTS, LIKES
from projections.posts import POSTS
from projections.stores.generation_pointers import MemoryPointers, change_pointers

FED = Generations().begun().caught_up(1)


def test_every_table_belongs_to_the_one_projection_that_writes_it() -> None:
    assert set(TABLES_OF) == {projection.name for projection in PROJECTIONS}
    assert len(OWNER_OF) == len(TABLES)


def test_a_rebuild_makes_a_generation_beside_the_live_one() -> None:
    begun = Generations().begun()
    assert (begun.live, begun.building, begun.followed, begun.kept) == (1, 2, (), (1, 2))
    assert begun.begun() == begun, "run again, it goes on with the same one"
    assert begun.caught_up(5).followed == (2,)


def test_a_swap_keeps_the_generation_before_up_to_date_and_a_rollback_goes_back_to_it() -> None:
    swapped = FED.swapped(7)
    assert (swapped.live, swapped.previous, swapped.building, swapped.followed) == (2, 1, None, (1,))
    back = swapped.rolled_back(8)
    assert (back.live, back.previous, back.followed) == (1, 2, (2,))
    assert back.rolled_back(9).live == 2


def test_no_number_is_used_again() -> None:
    once = FED.swapped(1).pruned()
    assert once.doomed == (1,)
    again = once.begun().caught_up(2).swapped(3)
    assert (again.live, again.previous) == (3, 2)
    third = again.begun().caught_up(4).swapped(5)
    assert (third.live, third.previous, third.doomed) == (4, 3, (1, 2))
    assert third.pruned().begun().building == 5


def test_what_has_not_caught_up_does_not_go_live() -> None:
    with pytest.raises(Conflict, match="rebuild"):
        Generations().swapped(1)
    with pytest.raises(Conflict, match="log's end"):
        Generations().begun().swapped(1)
    with pytest.raises(Conflict, match="a time in the past"):
        Generations().begun(5).caught_up(6).swapped(7)
    with pytest.raises(Conflict, match="no earlier"):
        Generations().rolled_back(1)


def test_a_generation_for_a_time_goes_on_to_the_end_but_not_the_other_way_round() -> None:
    then = Generations().begun(5)
    assert then.begun().until_ms is None
    with pytest.raises(Conflict, match="being built"):
        FED.begun(5)


def test_pruning_twice_gives_up_nothing_more() -> None:
    pruned = FED.swapped(1).begun().pruned()
    assert (pruned.kept, pruned.doomed) == ((2,), (1, 3))
    assert pruned.pruned() == pruned
    assert pruned.forgotten(1).forgotten(3).doomed == ()


def test_a_selection_names_the_tables_of_its_generation_and_of_no_other() -> None:
    selection = Pointers().changed("likes", FED.swapped(1)).selection
    assert selection.table(LIKES) == generation_table(LIKES, 2)
    assert selection.table(LIKE_COUNTS).name == "like_counts_g2"
    assert selection.table(POSTS) is POSTS
    assert (selection.projection("likes"), selection.projection("posts")) == ("likes@2", "posts")
    assert Selection({"likes": 1}).is_first
    assert FIRST_GENERATIONS.table(LIKES) is LIKES


async def test_changes_at_once_are_made_one_after_the_other() -> None:
    store, interfered = MemoryPointers(), list[bool]()
    read = store.read

    async def read_and_be_overtaken(*, serial: bool = False) -> Pointers:
        found = await read(serial=serial)
        if not interfered:
            interfered.append(await store.move(found, found.changed("saves", FED)))
        return found

    store.read = read_and_be_overtaken  # type: ignore[method-assign]
    after = await change_pointers(store, lambda now: now.changed("likes", now.of("likes").begun()))
    assert (after.version, after.of("saves"), after.of("likes").building) == (2, FED, 2)
