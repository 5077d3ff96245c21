"""Many writes in few requests: unlogged batches of what the same nodes hold.

A request costs the driver, and the node that coordinates it, several times what a row does. A batch promises nothing
that its writes alone do not: each has a timestamp of its own, and doing all of them again changes nothing.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from cassandra.cluster import Cluster
from cassandra.query import BatchStatement, BatchType, BoundStatement

# Where Cassandra by its defaults begins to warn of batches over several partitions, and of large ones.
WRITES_MAX = 10
BYTES_MAX = 5_000

Grouping = Callable[[BoundStatement], Hashable]


def by_replicas(cluster: Cluster, keyspace: str) -> Grouping:
    """Tells writes apart that different nodes hold; where one node holds all, none are.

    A batch goes to a node that holds its first write, which then holds the others as well and need not pass them on.
    """
    metadata = cluster.metadata
    if len(metadata.all_hosts()) <= 1:
        return lambda bound: None
    return lambda bound: tuple(sorted(host.address for host in metadata.get_replicas(keyspace, bound.routing_key)))


def batched(writes: Iterable[BoundStatement], nodes_of: Grouping) -> list[list[BoundStatement]]:
    """Writes as batches of what the same nodes hold, bounded; a large one is a batch of its own.

    Args:
        writes: bound, in any order.
        nodes_of: which nodes hold a write.
    """
    last: dict[Hashable, list[BoundStatement]] = {}
    sizes: dict[Hashable, int] = {}
    batches: list[list[BoundStatement]] = []
    for write in writes:
        nodes, size = nodes_of(write), _bytes_of(write)
        if nodes not in last or len(last[nodes]) == WRITES_MAX or sizes[nodes] + size > BYTES_MAX:
            last[nodes], sizes[nodes] = [], 0
            batches.append(last[nodes])
        last[nodes].append(write)
        sizes[nodes] += size
    return batches


def request_of(writes: Sequence[BoundStatement]) -> BoundStatement | BatchStatement:
    """What is sent for a batch."""
    if len(writes) == 1:
        return writes[0]
    batch = BatchStatement(batch_type=BatchType.UNLOGGED)
    for write in writes:
        batch.add(write)
    return batch


def _bytes_of(write: BoundStatement) -> int:
    values: list[Any] = write.values
    return sum(len(value) for value in values if isinstance(value, bytes))
