"""Erasures as the gateway sees them: the marker that stops every command, and the address where its owner may look.

A session knows whether its account is marked (gateway/authentication.py), so that a command asks for nothing beside
what tells who calls. Whoever passed before the mark was known is waited out before anything is taken back.

The address holds the account's id and a keyed tag, so only who was told it can read it, and nothing need be stored:
the account itself cannot log in any more.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable

from gateway.authentication import Caller
from gateway.services import Services
from gateway.vault.port import ErasureRow
from photolog.errors import Forbidden, NotFound
from photolog.log.record import EncodedRecord
from schemas.topics import ACCOUNTS

_TAG_BYTES = 16
_ID_BYTES = 8


def receipt_id(key: bytes, account_id: int) -> str:
    """The name under which an account's erasure can be looked at.

    Args:
        key: keys the tag.
        account_id: the account.
    """
    raw = account_id.to_bytes(_ID_BYTES, "big")
    return base64.urlsafe_b64encode(raw + _tag(key, raw)).decode()


def account_of_receipt(key: bytes, text: str) -> int:
    """The account of a name that `receipt_id` made.

    Raises:
        NotFound: we did not make it.
    """
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError as error:
        raise NotFound("not-found", "there is nothing here") from error
    identity, tag = raw[:_ID_BYTES], raw[_ID_BYTES:]
    if not hmac.compare_digest(tag, _tag(key, identity)):
        raise NotFound("not-found", "there is nothing here")
    return int.from_bytes(identity, "big")


async def mark(services: Services, account_id: int) -> None:
    """Mark an account as erased, for ever: once this returns, every command of its sessions is refused.

    Raises:
        StoreUnavailable: it may be marked, but not everyone knows; do it again.
    """
    now_ms = services.clock_ms()
    await services.vault.erasures.begin(ErasureRow(account_id=account_id, requested_ms=now_ms, step_ms=now_ms))
    await services.authentication.marked(account_id)


def require_staying(caller: Caller) -> None:
    """Raise Forbidden for a caller who is marked."""
    if caller.leaving:
        raise _erased()


async def require_not_erased(services: Services, caller: Caller, records: Iterable[EncodedRecord]) -> None:
    """Refuse to append for a marked account that is not the caller: an operator's subject, or a sign-up's retry.

    Raises:
        Forbidden: one is marked.
        StoreUnavailable: the marker could not be read.
    """
    accounts = {int(record.key) for record in records if record.topic == ACCOUNTS.name}
    for account_id in accounts - {caller.account_id}:
        if await services.vault.erasures.get(account_id) is not None:
            raise _erased()


def _erased() -> Forbidden:
    return Forbidden("account-erased", "the account was erased")


def _tag(key: bytes, raw: bytes) -> bytes:
    return hmac.digest(key, b"erasure-receipt\n" + raw, hashlib.sha256)[:_TAG_BYTES]
