"""What happens to accounts."""

from typing import Annotated

from schemas.events.base import Event, HouseRule, Personal, Shown, Snowflake


class AccountCreated(Event, frozen=True, kw_only=True):
    type = "account.created"
    capability = "accounts"
    analysts = True
    account_id: Annotated[Snowflake, Shown("account", "who signed up")]
    username: Annotated[str | None, Personal("account_id")]
    display_name: Annotated[str | None, Personal("account_id")]
    private: bool


class ProfileChanged(Event, frozen=True, kw_only=True):
    """Carries the whole new profile, so that applying it twice changes nothing."""

    type = "profile.changed"
    capability = "accounts"
    account_id: Snowflake
    display_name: Annotated[str | None, Personal("account_id")]
    bio: Annotated[str | None, Personal("account_id")]


class PrivacyChanged(Event, frozen=True, kw_only=True):
    type = "privacy.changed"
    capability = "accounts"
    account_id: Snowflake
    private: bool


class RequestsApproved(Event, frozen=True, kw_only=True):
    """The account approves everyone who asks to follow it now. A job makes a `FollowApproved` of each request."""

    type = "requests.approved"
    capability = "accounts"
    account_id: Snowflake


class AccountSuspended(Event, frozen=True, kw_only=True):
    """`reason` is the rule that was broken, `note` what the operator wrote for other operators."""

    type = "account.suspended"
    capability = "accounts"
    account_id: Snowflake
    reason: HouseRule
    operator: str
    note: str = ""


class AccountReinstated(Event, frozen=True, kw_only=True):
    type = "account.reinstated"
    capability = "accounts"
    account_id: Snowflake
    operator: str


class AccountDeleted(Event, frozen=True, kw_only=True):
    """The account is gone for good. What it did elsewhere is taken back by events of its own."""

    type = "account.deleted"
    capability = "accounts"
    account_id: Snowflake


class AccountVerified(Event, frozen=True, kw_only=True):
    """An operator vouches that the account is who it says."""

    type = "account.verified"
    capability = "accounts"
    analysts = True
    account_id: Annotated[Snowflake, Shown("account", "whom an operator vouches for")]
    operator: str


class AccountUnverified(Event, frozen=True, kw_only=True):
    type = "account.unverified"
    capability = "accounts"
    analysts = True
    account_id: Annotated[Snowflake, Shown("account", "whom an operator vouches for no more")]
    operator: str
