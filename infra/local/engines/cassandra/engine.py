"""Cassandra: one node."""

from functools import partial

from infra.local.fetch import engine_folder
from infra.local.java import require_java
from infra.local.probes import cassandra_serves
from infra.local.spec import ProcessSpec, Site


def cassandra(site: Site) -> ProcessSpec:
    """The node of a stack."""
    config = site.config("cassandra")
    port = site.ports["cassandra"]
    return ProcessSpec(
        name="cassandra",
        command=(
            str(require_java()),
            f"@{config / 'cassandra.jvm.args'}",
            f"-Dcassandra.config={(config / 'cassandra.yaml').as_uri()}",
            f"-Dlogback.configurationFile={(config / 'logback.xml').as_uri()}",
            f"-Dcassandra.storagedir={site.data('cassandra')}",
            f"-Dcassandra.logdir={site.home.logs}",
            "-Dcassandra-foreground=yes",
            "-cp",
            f"{config}:{engine_folder('cassandra')}/*",
            "org.apache.cassandra.service.CassandraDaemon",
        ),
        ready=partial(cassandra_serves, port),
        port=port,
        other_ports={"cassandra storage": site.ports["cassandra-storage"]},
        prepare=partial(site.render, "cassandra"),
    )
