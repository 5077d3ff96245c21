"""Generations of read models: which complete build of a projection queries see, and which others are kept beside it.

A projection's first generation is what its jobs made from the beginning. A rebuild makes another one beside it, a swap
shows that one instead, and a rollback shows the one before again. All of it is one small document with a version, so
that a change is one atomic write and a reader who holds one document never sees a mixture.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec

from photolog.errors import Conflict
from projections.catalogue import OWNER_OF
from projections.tables import R, Table

FIRST = 1


class Generations(msgspec.Struct, frozen=True, kw_only=True):
    """The generations of one projection. They are numbered from 1, and no number is ever used again.

    Args:
        live: what queries see.
        newest: the greatest number that was ever used.
        building: being made by a rebuild, or made and not shown yet.
        previous: what was shown before, kept up to date for a rollback.
        fed_ms: since when live jobs bring `building` up to date as well, Unix ms; 0 while they do not.
        doomed: numbers that were given up and whose tables may still be there.
        swapped_ms: when `live` last changed, Unix ms; 0 for never.
        until_ms: the time up to which `building` was folded, Unix ms; None for all there is. Such a one is for looking
            at and never goes live.
    """

    live: int = FIRST
    newest: int = FIRST
    building: int | None = None
    previous: int | None = None
    fed_ms: int = 0
    doomed: tuple[int, ...] = ()
    swapped_ms: int = 0
    until_ms: int | None = None

    @property
    def is_fed(self) -> bool:
        """Whether the generation that is built has caught up."""
        return self.building is not None and self.fed_ms > 0

    @property
    def followed(self) -> tuple[int, ...]:
        """Those that live jobs keep up to date beside the live one."""
        building = self.building if self.is_fed else None
        return tuple(number for number in (self.previous, building) if number is not None)

    @property
    def kept(self) -> tuple[int, ...]:
        """All that have tables and may be looked at, the live one first."""
        return tuple(number for number in (self.live, self.previous, self.building) if number is not None)

    def begun(self, until_ms: int | None = None) -> "Generations":
        """A rebuild begins, or the one that was begun goes on.

        Raises:
            Conflict: another rebuild, to another time, is under way.
        """
        if self.building is None:
            number = self.newest + 1
            return msgspec.structs.replace(self, building=number, newest=number, until_ms=until_ms)
        if until_ms != self.until_ms and not (until_ms is None and not self.is_fed):
            raise Conflict("rebuild-under-way", f"generation {self.building} is being built; `prune` gives it up")
        return msgspec.structs.replace(self, until_ms=until_ms)

    def caught_up(self, now_ms: int) -> "Generations":
        """The rebuild has come to the log's end; live jobs take over."""
        return msgspec.structs.replace(self, fed_ms=now_ms)

    def swapped(self, now_ms: int) -> "Generations":
        """The built generation goes live.

        Raises:
            Conflict: there is none, or it has not caught up.
        """
        if self.building is None:
            raise Conflict("nothing-built", "there is no generation to swap in; `rebuild` makes one")
        if self.until_ms is not None:
            raise Conflict("built-for-a-time", f"generation {self.building} was built for a time in the past")
        if not self.is_fed:
            raise Conflict("not-caught-up", f"generation {self.building} has not come to the log's end yet")
        given_up = () if self.previous is None else (self.previous,)
        return msgspec.structs.replace(
            self,
            live=self.building,
            previous=self.live,
            building=None,
            fed_ms=0,
            doomed=(*self.doomed, *given_up),
            swapped_ms=now_ms,
        )

    def rolled_back(self, now_ms: int) -> "Generations":
        """The generation before goes live again; what was live is kept as the one before.

        Raises:
            Conflict: there is none.
        """
        if self.previous is None:
            raise Conflict("nothing-before", "no earlier generation is kept")
        return msgspec.structs.replace(self, live=self.previous, previous=self.live, swapped_ms=now_ms)

    def pruned(self) -> "Generations":
        """Only the live one is kept."""
        given_up = tuple(number for number in (self.previous, self.building) if number is not None)
        return msgspec.structs.replace(
            self, previous=None, building=None, fed_ms=0, until_ms=None, doomed=(*self.doomed, *given_up)
        )

    def forgotten(self, number: int) -> "Generations":
        """The tables of a doomed generation are gone."""
        return msgspec.structs.replace(self, doomed=tuple(other for other in self.doomed if other != number))


NEVER_REBUILT = Generations()


class Pointers(msgspec.Struct, frozen=True, dict=True, kw_only=True):
    """The generations of all projections, as they were written together.

    Args:
        version: rises by one with every change.
        projections: those that were ever rebuilt.
    """

    version: int = 0
    projections: Mapping[str, Generations] = {}

    def of(self, projection: str) -> Generations:
        """The generations of a projection."""
        return self.projections.get(projection, NEVER_REBUILT)

    def changed(self, projection: str, generations: Generations) -> "Pointers":
        """The next version, with other generations of one projection."""
        return Pointers(version=self.version + 1, projections={**self.projections, projection: generations})

    @cached_property
    def selection(self) -> "Selection":
        """What queries see."""
        return Selection({name: generations.live for name, generations in self.projections.items()})


class Selection:
    """One generation of each projection, to be read or written together.

    Args:
        numbers: of projections whose generation is not the first.
    """

    def __init__(self, numbers: Mapping[str, int]) -> None:
        self.numbers = {name: number for name, number in numbers.items() if number != FIRST}
        self._tables: dict[str, Table[Any]] = {}

    @property
    def is_first(self) -> bool:
        """Whether every projection is at its first generation, where nothing has another name."""
        return not self.numbers

    def number(self, projection: str) -> int:
        """The generation of a projection."""
        return self.numbers.get(projection, FIRST)

    def table(self, table: Table[R]) -> Table[R]:
        """The table as it is called in its projection's generation."""
        number = self.numbers.get(OWNER_OF.get(table.name, ""), FIRST)
        if number == FIRST:
            return table
        found = self._tables.get(table.name)
        if found is None:
            found = self._tables[table.name] = generation_table(table, number)
        return found

    def projection(self, name: str) -> str:
        """The name under which the generation's positions are kept."""
        return generation_name(name, self.number(name))


FIRST_GENERATIONS = Selection({})


def generation_name(projection: str, number: int) -> str:
    """What a generation of a projection is called where positions and metrics are kept."""
    return projection if number == FIRST else f"{projection}@{number}"


def generation_table(table: Table[R], number: int) -> Table[R]:
    """A table of a generation: of the same rows, under a name of its own."""
    if number == FIRST:
        return table
    return Table(
        f"{table.name}_g{number}", table.row, table.partition, table.clustering, table.aggregate, table.expires
    )
