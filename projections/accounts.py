"""Accounts: profile, privacy, suspension and verification, by account."""

from collections.abc import Sequence

import msgspec

from projections.fold import Recorded, Rows, unfoldable
from projections.tables import Row, RowKey, Table
from projections.writes import Write, put
from schemas import events as e
from schemas import topics


class AccountRow(Row, frozen=True, kw_only=True):
    """An account as everyone may see it, and whether it is private, suspended or deleted, or an operator vouched for
    it.

    `privacy_version` counts the changes of privacy, and `privacy_since_ms` is when the last one was. `suspended_for` is
    the rule that a suspended account broke, for its owner to know.
    """

    account_id: int
    username: str | None
    display_name: str | None
    bio: str | None
    private: bool
    suspended: bool
    created_ms: int
    deleted: bool = False
    verified: bool = False
    privacy_version: int = 0
    privacy_since_ms: int = 0
    suspended_for: e.HouseRule | None = None


ACCOUNTS = Table("accounts", AccountRow, ("account_id",), aggregate=True)


class AccountsProjection:
    """Folds accounts. Every event carries whole values, so the newest of each kind is what counts."""

    name = "accounts"
    topics = (topics.ACCOUNTS,)

    def aggregate(self, recorded: Recorded) -> RowKey[AccountRow]:
        """The account."""
        match recorded.event:
            case (
                e.AccountCreated()
                | e.ProfileChanged()
                | e.PrivacyChanged()
                | e.RequestsApproved()
                | e.AccountSuspended()
                | e.AccountReinstated()
                | e.AccountDeleted()
                | e.AccountVerified()
                | e.AccountUnverified() as event
            ):
                return ACCOUNTS.key(event.account_id)
            case other:
                raise unfoldable(self.name, other)

    def reads(self, recorded: Recorded) -> tuple[RowKey[Row], ...]:
        """Nothing else."""
        return ()

    def project(self, rows: Rows, recorded: Recorded) -> Sequence[Write]:
        """An event about an account that was never created, or was deleted, changes nothing and makes no row."""
        before = rows.get(self.aggregate(recorded))
        if before is not None and before.deleted:
            return ()
        after = _changed(before, recorded) if before else _created(recorded)
        return () if after is None or after == before else (put(ACCOUNTS, after),)


def _created(recorded: Recorded) -> AccountRow | None:
    match recorded.event:
        case e.AccountCreated() as event:
            return AccountRow(
                account_id=event.account_id,
                username=event.username,
                display_name=event.display_name,
                bio=None,
                private=event.private,
                suspended=False,
                created_ms=recorded.timestamp_ms,
                privacy_since_ms=recorded.timestamp_ms,
            )
    return None


def _changed(account: AccountRow, recorded: Recorded) -> AccountRow:
    match recorded.event:
        case e.ProfileChanged(display_name=display_name, bio=bio):
            return msgspec.structs.replace(account, display_name=display_name, bio=bio)
        case e.PrivacyChanged(private=private) if private != account.private:
            return msgspec.structs.replace(
                account,
                private=private,
                privacy_version=account.privacy_version + 1,
                privacy_since_ms=recorded.timestamp_ms,
            )
        case e.AccountSuspended(reason=reason):
            return msgspec.structs.replace(account, suspended=True, suspended_for=reason)
        case e.AccountReinstated():
            return msgspec.structs.replace(account, suspended=False, suspended_for=None)
        case e.AccountDeleted():
            return _deleted(account)
        case e.AccountVerified():
            return msgspec.structs.replace(account, verified=True)
        case e.AccountUnverified():
            return msgspec.structs.replace(account, verified=False)
    return account


def _deleted(account: AccountRow) -> AccountRow:
    """What remains says that the account was there, and nothing that its owner wrote."""
    return msgspec.structs.replace(
        account,
        username=None,
        display_name=None,
        bio=None,
        private=True,
        suspended=False,
        deleted=True,
        verified=False,
        suspended_for=None,
    )


ACCOUNTS_PROJECTION = AccountsProjection()
