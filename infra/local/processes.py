"""The table of what a stack runs: engines, one migration, then the application's own processes."""

import sys
from functools import partial

from infra.local.engines.apicurio.engine import apicurio
from infra.local.engines.cassandra.engine import cassandra
from infra.local.engines.flink.engine import jobmanager, taskmanager
from infra.local.engines.kafka.engine import kafka
from infra.local.engines.s3proxy.engine import s3proxy
from infra.local.engines.valkey.engine import valkey
from infra.local.engines.varnish.engine import varnish
from infra.local.probes import http_ok
from infra.local.spec import ProcessSpec, Site

WORKERS = 2
MIGRATE = "migrate"


def engines(site: Site) -> tuple[ProcessSpec, ...]:
    """The engines, slowest first. Varnish is among them where this machine has it."""
    edge_cache = varnish(site)
    cached = () if edge_cache is None else (edge_cache,)
    return (kafka(site), cassandra(site), s3proxy(site), valkey(site), apicurio(site), *cached)


def flink_cluster(site: Site) -> tuple[ProcessSpec, ...]:
    """What runs jobs over windows of event time."""
    return jobmanager(site), taskmanager(site)


def applications(site: Site, after: tuple[str, ...]) -> tuple[ProcessSpec, ...]:
    """The migration and the processes that run photolog's own code.

    Args:
        after: the processes that the migration needs.
    """
    migrate = ProcessSpec(
        name=MIGRATE, command=photolog_command("migrate"), ready=lambda: True, depends_on=after, one_shot=True
    )
    workers = (
        _measured(site, f"worker-{index}", ("worker", "--index", str(index)), "/metrics") for index in range(WORKERS)
    )
    transcode_worker = _measured(site, "transcode-worker", ("transcode-worker",), "/metrics")
    leaving_worker = _measured(site, "leaving-worker", ("leaving-worker",), "/metrics")
    purge_worker = _measured(site, "purge-worker", ("purge-worker",), "/metrics")
    moderation_worker = _measured(site, "moderation-worker", ("moderation-worker",), "/metrics")
    keeper_worker = _measured(site, "keeper-worker", ("keeper-worker",), "/metrics")
    beside = (transcode_worker, moderation_worker, leaving_worker, purge_worker, keeper_worker)
    flink = flink_cluster(site)
    flink_worker = _measured(site, "flink-worker", ("flink-worker",), "/metrics", flink[-1].name)
    return (*flink, migrate, *workers, *beside, _server(site, "edge"), _server(site, "gateway"), flink_worker)


def _server(site: Site, name: str) -> ProcessSpec:
    """The gateway or the edge; it takes requests once its engines answer it."""
    port = site.ports[name]
    metrics_port = site.ports[f"{name}-metrics"]
    return ProcessSpec(
        name=name,
        command=photolog_command(name),
        environment={"PHOTOLOG_METRICS_PORT": str(metrics_port)},
        ready=partial(http_ok, f"http://127.0.0.1:{port}/readyz"),
        depends_on=(MIGRATE,),
        port=port,
        other_ports={f"{name} metrics": metrics_port},
    )


def photolog_command(*arguments: str) -> tuple[str, ...]:
    """The command line of a photolog subcommand in this very Python environment."""
    return (sys.executable, "-m", "cli.app", *arguments)


def _measured(site: Site, name: str, arguments: tuple[str, ...], path: str, *after: str) -> ProcessSpec:
    metrics_port = site.ports[f"{name}-metrics"]
    return ProcessSpec(
        name=name,
        command=photolog_command(*arguments),
        environment={"PHOTOLOG_METRICS_PORT": str(metrics_port)},
        ready=partial(http_ok, f"http://127.0.0.1:{metrics_port}{path}"),
        depends_on=(MIGRATE, *after),
        metrics_port=metrics_port,
    )
