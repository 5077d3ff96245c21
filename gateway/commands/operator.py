"""Commands of operators: suspend an account and reinstate it, which hold from the very next request; vouch for one."""

from typing import Annotated, Literal

import msgspec

from gateway.endpoint import Body, Call, Command, Endpoint
from gateway.services import Services
from photolog.errors import NotFound
from photolog.text import clean_text
from projections.accounts import ACCOUNTS
from schemas.events import AccountReinstated, AccountSuspended, AccountUnverified, AccountVerified, HouseRule

NOTE_CHARACTERS_MAX = 500
_PATH = "/v1/operator/accounts/{account_id}/suspension"
_VERIFICATION = "/v1/operator/accounts/{account_id}/verification"


class Suspend(Body, frozen=True, kw_only=True):
    """The rule that was broken, which its owner is told, and a note for other operators. Both are kept in the log for
    ever: no personal data."""

    reason: HouseRule
    note: Annotated[str, msgspec.Meta(max_length=2_000)] = ""


class Suspension(msgspec.Struct, frozen=True, kw_only=True):
    account_id: str
    state: Literal["suspended", "active"]


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    account_id: str
    verified: bool


async def suspend(services: Services, call: Call) -> Command:
    """Suspend an account. The answer comes once every gateway refuses it."""
    body: Suspend = call.body
    account_id = await _account(services, call)
    note = clean_text(body.note, "note", NOTE_CHARACTERS_MAX).strip() if body.note else ""
    event = AccountSuspended(account_id=account_id, reason=body.reason, operator=call.operator_name, note=note)
    return Command((event,), Suspension(account_id=str(account_id), state="suspended"), wait_for=("accounts",))


async def reinstate(services: Services, call: Call) -> Command:
    """Take a suspension back."""
    account_id = await _account(services, call)
    event = AccountReinstated(account_id=account_id, operator=call.operator_name)
    return Command((event,), Suspension(account_id=str(account_id), state="active"), wait_for=("accounts",))


async def verify(services: Services, call: Call) -> Command:
    """Vouch that an account is who it says. Everyone sees it, and its posts go ahead of others' to its followers."""
    account_id = await _account(services, call)
    event = AccountVerified(account_id=account_id, operator=call.operator_name)
    return Command((event,), Verification(account_id=str(account_id), verified=True))


async def unverify(services: Services, call: Call) -> Command:
    """Vouch no longer."""
    account_id = await _account(services, call)
    event = AccountUnverified(account_id=account_id, operator=call.operator_name)
    return Command((event,), Verification(account_id=str(account_id), verified=False))


async def _account(services: Services, call: Call) -> int:
    account_id = call.id("account_id")
    account = await services.rows.get(ACCOUNTS.key(account_id))
    if account is None or account.deleted:
        raise NotFound("not-found", "there is no such account")
    return account_id


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "PUT", _PATH, suspend, "Suspend an account", "operator", auth="operator", body=Suspend, response=Suspension
    ),
    Endpoint("DELETE", _PATH, reinstate, "Reinstate an account", "operator", auth="operator", response=Suspension),
    Endpoint("PUT", _VERIFICATION, verify, "Verify an account", "operator", auth="operator", response=Verification),
    Endpoint(
        "DELETE",
        _VERIFICATION,
        unverify,
        "Take a verification back",
        "operator",
        auth="operator",
        response=Verification,
    ),
)
