"""Apicurio: the schema registry, with Confluent's API; its schemas live in Kafka."""

from functools import partial

from infra.local.fetch import engine_folder
from infra.local.java import require_java
from infra.local.probes import http_ok
from infra.local.spec import ProcessSpec, Site


def apicurio(site: Site) -> ProcessSpec:
    """The registry of a stack."""
    folder = engine_folder("apicurio")
    port = site.ports["apicurio"]
    return ProcessSpec(
        name="apicurio",
        command=(
            str(require_java()),
            *("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            *("-jar", str(folder / f"apicurio-registry-app-{folder.name.rpartition('-')[2]}-runner.jar")),
        ),
        environment={
            "QUARKUS_HTTP_HOST": "127.0.0.1",
            "QUARKUS_HTTP_PORT": str(port),
            "QUARKUS_PROFILE": "prod",
            "QUARKUS_HTTP_ACCESS_LOG_ENABLED": "false",
            "APICURIO_LOG_LEVEL": "WARN",
            "QUARKUS_LOG_LEVEL": "WARN",
            "APICURIO_STORAGE_KIND": "kafkasql",
            "APICURIO_KAFKASQL_BOOTSTRAP_SERVERS": site.environment["PHOTOLOG_KAFKA__BOOTSTRAP_SERVERS"],
        },
        ready=partial(http_ok, f"{site.environment['PHOTOLOG_REGISTRY__URL']}/subjects"),
        depends_on=("kafka",),
        port=port,
    )
