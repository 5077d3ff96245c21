"""Which ids an event names: what finds the events that a row may have been made of."""

from collections.abc import Iterable
from functools import cache

import msgspec

from leaving.mentions import Mention
from photolog.log.record import StoredRecord
from schemas.events import Event


@cache
def _id_fields(event: type[Event]) -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(event) if field.name.endswith(("_id", "_ids", "_by")))


def ids_in(event: Event) -> set[int]:
    """Every id that an event names."""
    found: set[int] = set()
    for field in _id_fields(type(event)):
        value = getattr(event, field)
        found.update(value if isinstance(value, list) else () if value is None else (value,))
    return found


class Naming:
    """Whether records and events name some ids, all of them or any.

    Args:
        ids: which ones.
    """

    def __init__(self, ids: Iterable[int]) -> None:
        self.ids = frozenset(ids)
        self._mentions = [Mention(one) for one in self.ids]

    def all_may_be_in(self, record: StoredRecord) -> bool:
        """By its bytes alone: False only where the record does not name all."""
        return all(mention.may_be_in(record) for mention in self._mentions)

    def any_may_be_in(self, record: StoredRecord) -> bool:
        """By its bytes alone: False only where the record names none."""
        return any(mention.may_be_in(record) for mention in self._mentions)

    def all_are_in(self, event: Event) -> bool:
        """Whether the event names all."""
        return self.ids <= ids_in(event)

    def any_is_in(self, event: Event) -> bool:
        """Whether the event names one of them."""
        return not self.ids.isdisjoint(ids_in(event))
