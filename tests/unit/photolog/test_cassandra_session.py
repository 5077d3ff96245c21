"""How a session with Cassandra behaves while no node answers."""

from itertools import islice

from photolog.engines.cassandra_session import cluster_of
from photolog.settings import CassandraSettings

ATTEMPTS = 500


def test_a_node_that_was_away_for_hours_is_asked_every_few_seconds() -> None:
    cluster = cluster_of(CassandraSettings(hosts=["127.0.0.1"]))
    pauses_seconds = list(islice(cluster.reconnection_policy.new_schedule(), ATTEMPTS))
    assert len(pauses_seconds) == ATTEMPTS, "nobody asks any more"
    assert max(pauses_seconds) <= 5
