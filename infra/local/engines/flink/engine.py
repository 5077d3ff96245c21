"""Flink: a session cluster of one JobManager and one TaskManager, from the wheel that the jobs are written with."""

from functools import partial
from pathlib import Path

from infra.local.fetch import engine_folder
from infra.local.java import require_java
from infra.local.probes import flink_has_taskmanager, http_ok
from infra.local.spec import ProcessSpec, Site
from photolog.engines.flink_home import flink_home

JOBMANAGER, TASKMANAGER = "flink-jobmanager", "flink-taskmanager"
_COMMON = ("-XX:+UseSerialGC", "-XX:MaxMetaspaceSize=256m", "-Djava.net.preferIPv4Stack=true")
_JOBMANAGER_JVM = ("-Xms96m", "-Xmx320m", "-XX:TieredStopAtLevel=1")
# Sums of what config.yaml gives to tasks and to the framework: heap, and what is off it with the network's. Half of the
# heap is for what is new, as a window that is told makes and forgets a great deal.
_TASKMANAGER_JVM = ("-Xms256m", "-Xmx1024m", "-XX:NewRatio=1", "-XX:MaxDirectMemorySize=224m")
_S3 = {"s3_endpoint": "ENDPOINT_URL", "s3_access_key": "ACCESS_KEY", "s3_secret_key": "SECRET_KEY"}
_OPENED = (
    "java.lang", "java.net", "java.io", "java.nio", "sun.nio.ch", "java.lang.reflect", "java.text", "java.time",
    "java.util", "java.util.concurrent", "java.util.concurrent.atomic", "java.util.concurrent.locks",
)  # fmt: skip


def connectors() -> list[Path]:
    """The jars that jobs need beside Flink."""
    return sorted(engine_folder("flink").glob("flink-sql-*.jar"))


def jobmanager(site: Site) -> ProcessSpec:
    """What takes jobs."""
    return ProcessSpec(
        name=JOBMANAGER,
        command=_command(
            site, _JOBMANAGER_JVM, "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
        ),
        ready=partial(http_ok, f"http://127.0.0.1:{site.ports['flink-rest']}/overview"),
        port=site.ports["flink-rest"],
        other_ports={"flink rpc": site.ports["flink-rpc"], "flink blobs": site.ports["flink-blob"]},
        environment=_environment(site),
        prepare=partial(_prepare, site),
    )


def taskmanager(site: Site) -> ProcessSpec:
    """What runs them."""
    return ProcessSpec(
        name=TASKMANAGER,
        command=_command(site, _TASKMANAGER_JVM, "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"),
        ready=partial(flink_has_taskmanager, site.ports["flink-rest"]),
        depends_on=(JOBMANAGER,),
        port=site.ports["flink-task-rpc"],
        other_ports={"flink data": site.ports["flink-task-data"]},
        environment=_environment(site),
    )


def _command(site: Site, jvm: tuple[str, ...], entry: str) -> tuple[str, ...]:
    config = site.config("flink")
    opened = tuple(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED)
    logging = f"-Dlog4j.configurationFile={config / 'log4j.properties'}"
    # Java itself expands the star.
    classes = f"{flink_home()}/lib/*"
    return (str(require_java()), *opened, *_COMMON, *jvm, logging, "-cp", classes, entry, "--configDir", str(config))


def _environment(site: Site) -> dict[str, str]:
    return {"FLINK_PLUGINS_DIR": str(_plugins(site)), "AWS_REGION": site.environment["PHOTOLOG_S3__REGION"]}


def _plugins(site: Site) -> Path:
    return site.data("flink") / "plugins"


def _prepare(site: Site) -> None:
    s3 = {name: site.environment[f"PHOTOLOG_S3__{key}"] for name, key in _S3.items()}
    site.render("flink", state_uri=site.environment["PHOTOLOG_FLINK__STATE_URI"], **s3)
    (site.data("flink") / "tmp").mkdir(exist_ok=True)
    _plugins(site).mkdir(exist_ok=True)
    plugin = _plugins(site) / "s3"
    plugin.unlink(missing_ok=True)
    plugin.symlink_to(engine_folder("flink-s3"))
