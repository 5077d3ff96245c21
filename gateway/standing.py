"""Whether an account is suspended, as its cached card says: the jobs write it through behind their rows."""

from projections.cards import account_key as account_place
from projections.cards import account_suspended, account_writes

__all__ = ["account_place", "account_suspended", "account_writes"]
