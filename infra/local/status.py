"""How each process of a stack is now, asked of the processes themselves."""

import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import psutil
from prometheus_client.parser import text_string_to_metric_families

from infra.local.engines.flink.engine import JOBMANAGER
from infra.local.home import Home
from infra.local.probes import SECONDS
from infra.local.records import Phase, ProcessRecord, is_running, read_processes, read_supervisor
from infra.local.spec import ProcessSpec

LAG_METRIC = "photolog_lag_records"


class ProcessStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One process, or one job of Flink's, as it is now.

    Args:
        name: of the process.
        phase: as the supervisor sees it.
        ready: whether it answered in its own protocol just now; a one-shot step is ready once it is done.
        pid: while it runs.
        port: where it serves.
        restarts: since the boot.
        resident_mb: resident memory of it and all that it started, in MiB.
        lag: records that it has not applied yet; absent for what reads no log.
        reason: why it is not ready, where that is known.
    """

    name: str
    phase: Phase
    ready: bool
    restarts: int
    pid: int | None = None
    port: int | None = None
    resident_mb: int | None = None
    lag: int | None = None
    reason: str | None = None


def stack_status(home: Home) -> list[ProcessStatus]:
    """The processes of the stack in this home, in boot order; empty if none is up."""
    supervisor = read_supervisor(home)
    if supervisor is None or not is_running(supervisor):
        return []
    specs = supervisor.plan.processes(home)
    records = {record.name: record for record in read_processes(home)}
    known = [spec for spec in specs if spec.name in records]
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = list(pool.map(lambda spec: _status(spec, records[spec.name]), known))
    for process in found:
        if process.name == JOBMANAGER and process.ready and process.port is not None:
            found += flink_jobs(process.port)
    return found


def flink_jobs(rest_port: int) -> list[ProcessStatus]:
    """The jobs of a Flink cluster, as lines of their own: what runs in its TaskManagers is no process.

    Args:
        rest_port: where the JobManager answers on loopback.
    """
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{rest_port}/jobs/overview", timeout=SECONDS) as answer:
            jobs = json.load(answer)["jobs"]
    except (urllib.error.URLError, OSError, ValueError):
        return []
    return [_job(job) for job in jobs if job["end-time"] < 0]


def _job(job: Any) -> ProcessStatus:
    running, total = job["tasks"]["running"] + job["tasks"]["finished"], job["tasks"]["total"]
    ready = job["state"] == "RUNNING" and running == total
    return ProcessStatus(
        name=f"job {job['name']}",
        phase="ready" if ready else "starting",
        ready=ready,
        restarts=0,
        reason=None if ready else f"{job['state']}, {running} of {total} tasks run",
    )


def _status(spec: ProcessSpec, record: ProcessRecord) -> ProcessStatus:
    running = is_running(record)
    problem = spec.ask() if running else record.reason
    return ProcessStatus(
        name=record.name,
        phase=record.phase,
        ready=record.phase == "done" or (running and problem is None),
        restarts=record.restarts,
        pid=record.pid if running else None,
        port=record.port,
        resident_mb=_resident_mb(record.pid) if running and record.pid else None,
        lag=_lag(spec.metrics_port) if running and spec.metrics_port else None,
        reason=problem,
    )


def _resident_mb(pid: int) -> int | None:
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return sum(member.memory_info().rss for member in family) // (1024 * 1024)
    except psutil.NoSuchProcess:
        return None


def _lag(metrics_port: int) -> int | None:
    """The sum of the lag gauges; None while the process has none, or does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics_port}/metrics", timeout=SECONDS) as answer:
            text = answer.read(4 * 1024 * 1024).decode()
    except (urllib.error.URLError, OSError):
        return None
    samples = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == LAG_METRIC
    ]
    return int(sum(samples)) if samples else None
