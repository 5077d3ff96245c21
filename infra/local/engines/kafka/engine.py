"""Kafka: one KRaft node, broker and controller in one."""

import base64
import shutil
import subprocess
import uuid
from functools import partial

from infra.local.errors import StackError
from infra.local.fetch import engine_folder
from infra.local.java import require_java
from infra.local.probes import kafka_serves
from infra.local.spec import ProcessSpec, Site

_JVM = (
    "-Xms128m", "-Xmx512m", "-Xss512k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:MaxDirectMemorySize=128m"
)  # fmt: skip


def kafka(site: Site) -> ProcessSpec:
    """The broker of a stack."""
    config = site.config("kafka")
    # Java itself expands the star.
    base = (str(require_java()), f"-Dlog4j2.configurationFile={config / 'log4j2.properties'}")
    classes = ("-cp", f"{engine_folder('kafka')}/*")
    properties = str(config / "kafka.properties")
    port = site.ports["kafka"]
    return ProcessSpec(
        name="kafka",
        command=(*base, *_JVM, *classes, "kafka.Kafka", properties),
        ready=partial(kafka_serves, port),
        port=port,
        other_ports={"kafka controller": site.ports["kafka-controller"]},
        prepare=partial(_prepare, site, (*base, *classes), properties),
    )


def _prepare(site: Site, java: tuple[str, ...], properties: str) -> None:
    site.render("kafka")
    data = site.data("kafka")
    formatted = data / "formatted"
    if formatted.exists():
        return
    # Killed in the middle of formatting: nothing was ever stored here, so begin again.
    if (data / "log").exists():
        shutil.rmtree(data / "log")
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    done = subprocess.run(
        [*java, "-Xmx128m", "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", properties],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise StackError(f"Kafka's storage could not be formatted:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    formatted.write_text(cluster)
