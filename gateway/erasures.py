"""Erasures as the gateway sees them: the marker that stops every command, and the address where its owner may look.

The address holds the account's id and a keyed tag, so only who was told it can read it, and nothing need be stored:
the account itself cannot log in any more.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence

from gateway.vault.port import Erasures
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


async def require_not_erased(erasures: Erasures, caller_id: int | None, records: Sequence[EncodedRecord]) -> None:
    """Refuse to append for an account that is marked, be it the caller or the one that the records are of.

    Asked as late as possible, of the rows and nothing else: without an answer nothing is appended.

    Raises:
        Forbidden: one is marked.
        StoreUnavailable: the marker could not be read.
    """
    for account_id in _accounts(caller_id, records):
        if await erasures.get(account_id) is not None:
            raise Forbidden("account-erased", "the account was erased")


def _accounts(caller_id: int | None, records: Sequence[EncodedRecord]) -> Iterable[int]:
    """A sign-up's retry has no caller: its record's key tells the account."""
    named = {int(record.key) for record in records if record.topic == ACCOUNTS.name}
    return named if caller_id is None else named | {caller_id}


def _tag(key: bytes, raw: bytes) -> bytes:
    return hmac.digest(key, b"erasure-receipt\n" + raw, hashlib.sha256)[:_TAG_BYTES]
