"""Whence a request comes: one address, told as a keyed digest, so that no key, log line or metric holds it."""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.types import Scope

_DIGEST_BYTES = 12
_IPV6_PREFIX_BITS = 64
_KNOWN_MAX = 16_384
_FORWARDED_CHARACTERS_MAX = 1_024
_NOWHERE = "nowhere"


class ClientAddresses:
    """Tells clients apart by their address.

    An IPv6 address counts as its /64, which is what a household or a phone is given; one that maps an IPv4 address
    counts as that.

    Args:
        key: keys the digests.
        trusted_proxies: how many proxies in front append to `X-Forwarded-For` whom they speak to. The client is that
            many places from the right of what they wrote; what stands further left was written by the client itself
            and is not believed. With none the header is not read, and the client is who holds the connection.
    """

    def __init__(self, key: bytes, trusted_proxies: int = 0) -> None:
        self._key = key
        self._trusted_proxies = trusted_proxies
        self._digest_of = lru_cache(maxsize=_KNOWN_MAX)(self._digest)

    def digest(self, scope: Scope) -> str:
        """The digest of a request's client."""
        peer = scope.get("client")
        host: str = peer[0] if peer else _NOWHERE
        return self._digest_of(self._forwarded(scope["headers"], host) if self._trusted_proxies else host)

    def _forwarded(self, headers: Iterable[tuple[bytes, bytes]], peer: str) -> str:
        lines = [value for name, value in headers if name == b"x-forwarded-for"]
        written = b",".join(lines)[-_FORWARDED_CHARACTERS_MAX:].decode("latin-1")
        hops = [hop.strip() for hop in written.split(",") if hop.strip()]
        if not hops:
            return peer
        return hops[-min(self._trusted_proxies, len(hops))]

    def _digest(self, host: str) -> str:
        message = b"address\n" + _network(host).encode()
        return hashlib.blake2b(message, key=self._key, digest_size=_DIGEST_BYTES).hexdigest()


def _network(host: str) -> str:
    """What counts as one client."""
    address = _parsed(host)
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        shift = address.max_prefixlen - _IPV6_PREFIX_BITS
        return f"{IPv6Address(int(address) >> shift << shift)}/{_IPV6_PREFIX_BITS}"
    return str(address) if address else _NOWHERE


def _parsed(host: str) -> IPv4Address | IPv6Address | None:
    """An address, with or without a port, brackets and a zone; None for a name or nonsense."""
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None
