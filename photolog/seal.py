"""Encryption of personal fields: AES-256-GCM under a key of the person they are about.

A sealed value is one version byte, a 12-byte nonce and the ciphertext with its tag. The subject, event type and
field name are authenticated with it, so a sealed value cannot be moved to another place. Erasing a person's key
makes every copy of every sealed value unreadable (crypto-shredding).
Source: NIST SP 800-38D; key wrapping by RFC 5649.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap_with_padding, aes_key_wrap_with_padding

from photolog.errors import Corruption

_VERSION = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16
KEY_BYTES = 32


def new_key() -> bytes:
    """A fresh 32-byte subject key."""
    return os.urandom(KEY_BYTES)


def wrap(master_key: bytes, key: bytes) -> bytes:
    """A subject key, wrapped for storage."""
    return aes_key_wrap_with_padding(master_key, key)


def unwrap(master_key: bytes, wrapped: bytes) -> bytes:
    """The subject key that `wrap` wrapped."""
    return aes_key_unwrap_with_padding(master_key, wrapped)


def place(event_type: str, field: str, subject_id: int) -> bytes:
    """What a sealed value is bound to."""
    return f"{event_type}/{field}/{subject_id}".encode()


def seal(key: bytes, plaintext: bytes, bound_to: bytes) -> bytes:
    """Encrypt a value for its place in the log."""
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, plaintext, bound_to)


def unseal(key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    """Decrypt a sealed value.

    Raises:
        Corruption: the value was cut, changed, moved, or sealed under another key.
    """
    if sealed[:1] != _VERSION:
        raise Corruption(f"sealed value of unknown version {sealed[:1]!r}")
    if len(sealed) < 1 + _NONCE_BYTES + _TAG_BYTES:
        raise Corruption(f"sealed value at {bound_to.decode()} is cut short")
    nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, bound_to)
    except InvalidTag as error:
        raise Corruption(f"sealed value at {bound_to.decode()} does not open") from error
