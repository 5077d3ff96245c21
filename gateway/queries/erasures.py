"""How far an erasure is, and its receipt, for whoever was told the address: the account cannot log in any more."""

from typing import Literal

import msgspec

from gateway.endpoint import Answer, Call, Endpoint
from gateway.erasures import account_of_receipt
from gateway.services import Services
from gateway.visibility import nothing_here
from photolog.receipts import ReceiptKey
from photolog.settings import key_bytes
from photolog.timestamps import rfc3339


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """An erasure; `receipt` is a JSON Web Signature once it is finished. Times are RFC 3339."""

    account_id: str
    state: Literal["running", "finished"]
    requested_at: str
    finished_at: str | None
    receipt: str | None


class PublicKey(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON Web Key (RFC 7517, RFC 8037)."""

    kty: str
    crv: str
    x: str
    kid: str
    alg: str
    use: str


class KeySet(msgspec.Struct, frozen=True, kw_only=True):
    keys: list[PublicKey]


async def erasure(services: Services, call: Call) -> Answer:
    """One erasure."""
    account_id = account_of_receipt(key_bytes(services.settings.secrets.hash_key), call.path["receipt"])
    row = await services.vault.erasures.get(account_id)
    if row is None:
        raise nothing_here()
    return Answer(
        Erasure(
            account_id=str(account_id),
            state="running" if row.finished_ms is None else "finished",
            requested_at=rfc3339(row.requested_ms),
            finished_at=None if row.finished_ms is None else rfc3339(row.finished_ms),
            receipt=row.receipt,
        )
    )


async def keys(services: Services, call: Call) -> Answer:
    """What verifies every receipt of this deployment."""
    public = ReceiptKey(key_bytes(services.settings.secrets.master_key)).public
    return Answer(KeySet(keys=[msgspec.convert(public, PublicKey)]), headers={"cache-control": "public, max-age=3600"})


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/v1/erasures/keys", keys, "The key that signs receipts", "accounts", auth="none", response=KeySet),
    Endpoint(
        "GET", "/v1/erasures/{receipt}", erasure, "How far an erasure is", "accounts", auth="none", response=Erasure
    ),
)
