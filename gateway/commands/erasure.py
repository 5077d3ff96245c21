"""The command that ends an account: marked in the vault and hidden from everyone before it is answered.

What follows (leaving/) goes on for a while: everything that the account did is taken back, its key is destroyed.
"""

from typing import Annotated

import msgspec

from gateway.endpoint import Body, Call, Command, Endpoint
from gateway.erasures import mark, receipt_id
from gateway.limits.guesses import password_guesses
from gateway.services import Services
from gateway.visibility import nothing_here
from photolog.errors import Forbidden
from photolog.settings import key_bytes
from projections.accounts import ACCOUNTS
from schemas.events import AccountDeleted


class Leave(Body, frozen=True, kw_only=True):
    """The password, because this cannot be taken back."""

    password: Annotated[str, msgspec.Meta(max_length=128)]


class Leaving(msgspec.Struct, frozen=True, kw_only=True):
    """The account is gone for everyone. `erasure` is where to look, without a token, for how far the rest is."""

    account_id: str
    erasure: str


async def leave(services: Services, call: Call) -> Command:
    """Delete the account for good. No session, no token and no retry of an earlier command gets through afterwards."""
    body: Leave = call.body
    credential = await services.vault.credentials.get(call.viewer)
    password_hash = credential.password_hash if credential else None
    async with password_guesses(services).in_session(call.session_id or 0):
        if not await services.passwords.verify(password_hash, body.password):
            raise Forbidden("wrong-password", "the password is not right", "password")
    return await _erased(services, call.viewer)


async def erase(services: Services, call: Call) -> Command:
    """Delete an account on behalf of its owner, who cannot log in or is suspended."""
    account_id = call.id("account_id")
    if await services.rows.get(ACCOUNTS.key(account_id)) is None:
        raise nothing_here()
    return await _erased(services, account_id)


async def _erased(services: Services, account_id: int) -> Command:
    await mark(services, account_id)
    address = receipt_id(key_bytes(services.settings.secrets.hash_key), account_id)
    return Command(
        (AccountDeleted(account_id=account_id),),
        Leaving(account_id=str(account_id), erasure=f"/v1/erasures/{address}"),
        status=202,
        wait_for=("accounts",),
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "DELETE",
        "/v1/me",
        leave,
        "Delete one's account and everything in it, for good",
        "accounts",
        body=Leave,
        response=Leaving,
        status=202,
        erases=True,
        rate="login",
    ),
    Endpoint(
        "DELETE",
        "/v1/operator/accounts/{account_id}",
        erase,
        "Delete an account on behalf of its owner",
        "operator",
        auth="operator",
        response=Leaving,
        status=202,
        erases=True,
    ),
)
