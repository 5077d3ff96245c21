"""Receipts of erasures: JSON Web Signatures under Ed25519 (RFC 7515, RFC 8037), which anybody can verify.

The signing key is derived from the master key (HKDF, RFC 5869), which is never replaced: a receipt is good for as long
as the deployment is. Its public half is served by the gateway.
"""

import base64
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from photolog.errors import Invalid

ALGORITHM = "Ed25519"
MEDIA_TYPE = "photolog-erasure+jws"
_SEED_BYTES = 32


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure did.

    Args:
        account_id: whose data is gone.
        requested_at: when the owner asked for it, RFC 3339.
        erased_at: when it was verified, RFC 3339.
        removed: how much was removed, by place.
        positions: the log positions of the last deletion events, as `Photolog-Position` writes them.
    """

    account_id: str
    requested_at: str
    erased_at: str
    removed: dict[str, int]
    positions: str


class ReceiptKey:
    """Signs and verifies receipts.

    Args:
        master_key: the deployment's 32-byte master key.
    """

    def __init__(self, master_key: bytes) -> None:
        derivation = HKDF(algorithm=hashes.SHA256(), length=_SEED_BYTES, salt=None, info=b"photolog/erasure-receipts")
        seed = derivation.derive(master_key)
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        self._key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "d": _text(seed), "x": _text(public)})
        self._header = {"alg": ALGORITHM, "typ": MEDIA_TYPE, "kid": self._key.thumbprint()}

    @property
    def public(self) -> dict[str, Any]:
        """The public half as a JSON Web Key (RFC 7517)."""
        return {**self._key.as_dict(private=False), "kid": self._header["kid"], "alg": ALGORITHM, "use": "sig"}

    def sign(self, receipt: Receipt) -> str:
        """The signed receipt, in the compact form."""
        return jws.serialize_compact(self._header, msgspec.json.encode(receipt), self._key, algorithms=[ALGORITHM])


def verify_receipt(public: dict[str, Any], signed: str) -> Receipt:
    """The receipt that was signed by the key of this public half.

    Raises:
        Invalid: it was not, or was changed since.
    """
    try:
        verified = jws.deserialize_compact(signed, OKPKey.import_key(public), algorithms=[ALGORITHM])
        return msgspec.json.decode(verified.payload, type=Receipt)
    except (JoseError, ValueError, msgspec.ValidationError) as error:
        raise Invalid("invalid-receipt", "this receipt was not signed by that key") from error


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
