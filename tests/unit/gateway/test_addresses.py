"""Whose address a request counts for, and what a client cannot make of it."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.limits.addresses import ClientAddresses

KEY = b"k" * 32
PEER = "203.0.113.7"


def digest(peer: str | None = PEER, *forwarded: str, proxies: int = 0, key: bytes = KEY) -> str:
    headers = [(b"x-forwarded-for", line.encode("latin-1")) for line in forwarded]
    scope = {"type": "http", "client": (peer, 50_000) if peer else None, "headers": headers}
    return ClientAddresses(key, proxies).digest(scope)


def test_it_is_the_peers_whatever_the_client_writes() -> None:
    assert digest(PEER, "198.51.100.1") == digest(PEER) != digest("203.0.113.8")


@pytest.mark.parametrize(
    ("proxies", "forwarded", "client"),
    [
        (1, ("198.51.100.1",), "198.51.100.1"),
        (1, ("192.0.2.66, 198.51.100.1",), "198.51.100.1"),
        (1, ("192.0.2.66", "198.51.100.1"), "198.51.100.1"),
        (2, ("192.0.2.66, 198.51.100.1, 203.0.113.9",), "198.51.100.1"),
        (2, ("198.51.100.1",), "198.51.100.1"),
        (1, ("198.51.100.1:4711",), "198.51.100.1"),
        (1, ("[2001:db8::1]:4711",), "2001:db8::1"),
        (1, (), PEER),
        (1, (" , ",), PEER),
    ],
)
def test_behind_proxies_it_is_whom_the_outermost_of_ours_spoke_to(
    proxies: int, forwarded: tuple[str, ...], client: str
) -> None:
    assert digest(PEER, *forwarded, proxies=proxies) == digest(client)


@given(st.lists(st.ip_addresses().map(str), max_size=40), st.integers(1, 3))
def test_what_a_client_writes_itself_changes_nothing(written: list[str], proxies: int) -> None:
    ours = ["198.51.100.1", "203.0.113.9", "203.0.113.10"][:proxies]
    assert digest(PEER, ", ".join([*written, *ours]), proxies=proxies) == digest("198.51.100.1")


def test_a_household_of_ipv6_is_one_and_its_neighbours_are_others() -> None:
    assert digest("2001:db8:1:2::1") == digest("2001:db8:1:2:ffff::9") == digest("2001:db8:1:2::1%eth0")
    assert digest("2001:db8:1:2::1") != digest("2001:db8:1:3::1")


def test_an_ipv4_address_in_ipv6_is_itself() -> None:
    assert digest("::ffff:198.51.100.1") == digest("198.51.100.1") != digest("::ffff:198.51.100.2")


@pytest.mark.parametrize("peer", [None, "unknown", "", "/run/gateway.sock", "999.1.1.1", "x" * 5_000])
def test_who_has_no_address_shares_one(peer: str | None) -> None:
    assert digest(peer) == digest(None)


def test_a_digest_tells_nothing_without_the_key() -> None:
    digests = {digest(peer, key=key) for peer, key in itertools.product((PEER, "198.51.100.1"), (KEY, b"o" * 32))}
    assert len(digests) == 4
    assert not any(PEER in text for text in digests)
