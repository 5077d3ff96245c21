"""Ports: one set from one base, refused clearly where they are taken."""

import os
import socket
from collections.abc import Iterator

import pytest

from infra.local.errors import PortTaken, StackError
from infra.local.ports import (
    DEFAULT_BASE,
    OFFSETS,
    SPAN,
    check_free,
    chosen_base,
    is_free,
    pick_free_port_base,
    ports_from,
)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as server:
        # As the servers that we run do; Linux wants it of both sockets.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server


def test_ports_are_distinct_and_within_their_span() -> None:
    ports = ports_from(20_000)
    assert len(set(ports.values())) == len(OFFSETS)
    assert all(20_000 <= port < 20_000 + SPAN for port in ports.values())


def test_the_default_set_lies_below_the_range_of_outgoing_connections() -> None:
    assert max(ports_from(DEFAULT_BASE).values()) < 32_768


@pytest.mark.parametrize("base", [0, 80, 1_023, 65_501, 70_000])
def test_a_base_without_room_is_refused(base: int) -> None:
    with pytest.raises(StackError, match="port base"):
        ports_from(base)


def test_a_taken_port_is_named_with_its_holder_and_a_way_out(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    assert not is_free(port)
    with pytest.raises(PortTaken, match=rf"port {port} \(kafka\) is held by .*pid {os.getpid()}.*--port-base"):
        check_free({"kafka": port})


def test_a_port_held_on_every_address_is_taken_too() -> None:
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))
        server.listen()
        assert not is_free(server.getsockname()[1])


def test_a_port_is_free_again_right_after_its_server_closed(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)):
        accepted, _ = listener.accept()
        accepted.close()  # This side closes first, so the socket stays in TIME_WAIT.
    listener.close()
    check_free({"kafka": port})


def test_the_option_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOLOG_LOCAL_PORT_BASE", "23000")
    assert chosen_base(21_000) == 21_000
    assert chosen_base(None) == 23_000
    monkeypatch.setenv("PHOTOLOG_LOCAL_PORT_BASE", "many")
    with pytest.raises(StackError, match="PHOTOLOG_LOCAL_PORT_BASE"):
        chosen_base(None)
    monkeypatch.delenv("PHOTOLOG_LOCAL_PORT_BASE")
    assert chosen_base(None) == DEFAULT_BASE


def test_a_picked_base_has_all_its_ports_free() -> None:
    check_free(ports_from(pick_free_port_base()))
