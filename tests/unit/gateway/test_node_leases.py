from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from gateway.vault.nodes import LeasedIds, NodeLease
from photolog.errors import StoreUnavailable
from photolog.ids import EPOCH_MS, NODE_BITS, SEQUENCE_BITS


@dataclass
class Answer:
    applied: bool


@dataclass
class Nodes:
    """The table of nodes; `full` has no free number."""

    held: dict[int, str] = field(default_factory=dict)
    full: bool = False

    async def execute(self, cql: str, parameters: Sequence[object] = (), *, idempotent: bool = True) -> list[Answer]:
        node, holder = parameters[0], parameters[1]
        assert isinstance(node, int)
        assert isinstance(holder, str)
        assert not idempotent, "the driver must not repeat a lightweight transaction"
        return [Answer(not self.full and self.held.setdefault(node, holder) == holder)]


async def test_two_processes_lease_two_numbers() -> None:
    nodes = Nodes()
    leases = [NodeLease(nodes, lambda: EPOCH_MS + 5) for _ in range(200)]
    ids = [(await lease.acquire()).next() for lease in leases]
    assert len(set(ids)) == len(leases)
    assert {number >> SEQUENCE_BITS & (1 << NODE_BITS) - 1 for number in ids} == set(nodes.held)
    for lease in leases:
        await lease.close()


async def test_without_a_free_number_a_process_does_not_start() -> None:
    with pytest.raises(StoreUnavailable):
        await NodeLease(Nodes(full=True), lambda: EPOCH_MS).acquire()


def test_a_process_that_could_not_renew_makes_no_more_ids() -> None:
    now = [0.0]
    ids = LeasedIds(1, lambda: EPOCH_MS, lambda: now[0])
    now[0] = 100.0
    ids.next()
    ids.renewed(asked_at=100.0)
    now[0] = 219.0
    ids.next()
    now[0] = 221.0
    with pytest.raises(StoreUnavailable):
        ids.next()


def test_a_process_that_lost_its_number_makes_no_more_ids() -> None:
    ids = LeasedIds(1, lambda: EPOCH_MS)
    ids.lost()
    with pytest.raises(StoreUnavailable):
        ids.next()
