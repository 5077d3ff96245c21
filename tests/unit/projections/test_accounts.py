"""Accounts: profile, privacy, suspension and verification."""

import pytest

from projections.accounts import ACCOUNTS, ACCOUNTS_PROJECTION, AccountRow
from projections.cards import account_writes
from projections.writes import Kept
from schemas import events as e
from tests.unit.projections.folding import START_MS, Folding

ANNA = 11
CREATED = e.AccountCreated(account_id=ANNA, username="anna", display_name="Anna", private=False)


def anna(*events: e.Event) -> AccountRow | None:
    return Folding(ACCOUNTS_PROJECTION).apply(*events).row(ACCOUNTS.key(ANNA))


def known(*events: e.Event) -> AccountRow:
    row = anna(CREATED, *events)
    assert row is not None
    return row


def test_a_new_account_is_as_its_owner_made_it() -> None:
    assert anna(CREATED) == AccountRow(
        account_id=ANNA,
        username="anna",
        display_name="Anna",
        bio=None,
        private=False,
        suspended=False,
        created_ms=START_MS,
        privacy_since_ms=START_MS,
    )


def test_privacy_tells_its_version_and_since_when_it_is_what_it_is() -> None:
    row = known(*(e.PrivacyChanged(account_id=ANNA, private=private) for private in (True, True, False, False)))
    assert (row.private, row.privacy_version, row.privacy_since_ms) == (False, 2, START_MS + 3_000)


def test_approving_all_changes_nothing_of_the_account() -> None:
    assert known(e.RequestsApproved(account_id=ANNA)) == known()


def test_an_account_is_created_once() -> None:
    second = e.AccountCreated(account_id=ANNA, username="otto", display_name=None, private=True)
    assert known(second) == known()


def test_a_profile_replaces_the_one_before() -> None:
    row = known(
        e.ProfileChanged(account_id=ANNA, display_name="A.", bio="light"),
        e.ProfileChanged(account_id=ANNA, display_name="A. L.", bio=None),
    )
    assert (row.display_name, row.bio, row.username) == ("A. L.", None, "anna")


def test_privacy_is_the_last_one_chosen() -> None:
    assert known(e.PrivacyChanged(account_id=ANNA, private=True)).private
    assert not known(
        e.PrivacyChanged(account_id=ANNA, private=True), e.PrivacyChanged(account_id=ANNA, private=False)
    ).private


def test_an_account_is_verified_until_it_no_longer_is() -> None:
    verified = e.AccountVerified(account_id=ANNA, operator="op")
    assert not known().verified
    assert known(verified, e.ProfileChanged(account_id=ANNA, display_name="x", bio=None)).verified
    assert not known(verified, e.AccountUnverified(account_id=ANNA, operator="op")).verified


def test_suspension_lasts_until_reinstatement() -> None:
    suspended = e.AccountSuspended(account_id=ANNA, reason="spam", operator="op")
    assert known(suspended, e.ProfileChanged(account_id=ANNA, display_name="x", bio=None)).suspended
    assert known(suspended).suspended_for == "spam"
    reinstated = known(suspended, e.AccountReinstated(account_id=ANNA, operator="op"))
    assert (reinstated.suspended, reinstated.suspended_for) == (False, None)


@pytest.mark.parametrize(
    "event",
    [
        e.ProfileChanged(account_id=ANNA, display_name="A.", bio=None),
        e.PrivacyChanged(account_id=ANNA, private=True),
        e.AccountSuspended(account_id=ANNA, reason="spam", operator="op"),
        e.AccountReinstated(account_id=ANNA, operator="op"),
    ],
    ids=lambda event: event.type,
)
def test_an_event_about_an_unknown_account_makes_no_row(event: e.Event) -> None:
    assert anna(event) is None


def test_the_account_of_an_erased_person_has_no_personal_fields() -> None:
    row = anna(e.AccountCreated(account_id=ANNA, username=None, display_name=None, private=True))
    assert row is not None
    assert (row.username, row.display_name, row.private) == (None, None, True)


def test_a_foreign_event_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"accounts does not fold post\.liked"):
        anna(e.PostLiked(actor_id=1, post_id=2))


def test_a_deleted_account_keeps_nothing_that_its_owner_wrote() -> None:
    row = known(e.ProfileChanged(account_id=ANNA, display_name="A.", bio="light"), e.AccountDeleted(account_id=ANNA))
    assert row == AccountRow(
        account_id=ANNA,
        username=None,
        display_name=None,
        bio=None,
        private=True,
        suspended=False,
        created_ms=START_MS,
        privacy_since_ms=START_MS,
        deleted=True,
    )


@pytest.mark.parametrize(
    "late",
    [
        CREATED,
        e.ProfileChanged(account_id=ANNA, display_name="x", bio="x"),
        e.PrivacyChanged(account_id=ANNA, private=False),
        e.AccountReinstated(account_id=ANNA, operator="op"),
    ],
    ids=lambda event: event.type,
)
def test_nothing_brings_a_deleted_account_back(late: e.Event) -> None:
    deleted = e.AccountDeleted(account_id=ANNA)
    assert known(deleted, late) == known(deleted)


def test_a_card_of_a_deleted_account_holds_no_name() -> None:
    (write,) = account_writes(ANNA, Kept(known(e.AccountDeleted(account_id=ANNA)), 1))
    assert write.value is not None
    assert b"anna" not in write.value.lower()
