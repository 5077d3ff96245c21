"""Whether an account is suspended, as the cache of accounts has it: the jobs write it through behind their rows."""

from collections.abc import Sequence

from photolog.ids import slot_of
from projections.accounts import AccountRow
from projections.stores.port import CacheWrite
from projections.writes import Kept


def account_place(account_id: int) -> tuple[str, str]:
    """The (key, field) of an account in the cache."""
    return f"standing:{{{slot_of(account_id)}}}:{account_id}", "suspended"


def account_suspended(cached: bytes | None) -> bool:
    """Whether the cached account is suspended; one that is known to be absent is not."""
    return cached == b"1"


def account_writes(account_id: int, kept: Kept) -> Sequence[CacheWrite]:
    """What fills the cache from an account's row."""
    key, field = account_place(account_id)
    row = kept.row
    value = (b"1" if row.suspended else b"0") if isinstance(row, AccountRow) else None
    return [CacheWrite(key, field, kept.offset, value)]
