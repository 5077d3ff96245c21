"""Accounts: profile, privacy and suspension, by account."""

from projections.tables import Row, Table


class AccountRow(Row, frozen=True, kw_only=True):
    """An account as everyone may see it, and whether it is private or suspended."""

    account_id: int
    username: str | None
    display_name: str | None
    bio: str | None
    private: bool
    suspended: bool
    created_ms: int


ACCOUNTS = Table("accounts", AccountRow, ("account_id",), aggregate=True)
