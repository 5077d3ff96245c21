"""What the supervisor writes down for others to read: one file for itself and one for each process it owns."""

from pathlib import Path
from typing import Literal, TypeVar

import msgspec
import psutil

from infra.local.errors import StackError
from infra.local.home import Home
from infra.local.plan import Plan
from infra.local.spec import write_private

Phase = Literal["waiting", "starting", "ready", "restarting", "done", "failed", "stopped"]
R = TypeVar("R", bound=msgspec.Struct)
StackPhase = Literal["booting", "up", "failed", "stopping", "stopped"]


class ProcessRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One process of the stack.

    Args:
        name: unique in the stack.
        phase: where in its life it is; `done` is a one-shot step that succeeded.
        pid: of the process, also its group's id; None while it does not run.
        mark: tells this process from a later one with the same pid (see `start_mark`).
        port: where it serves, for a person to read.
        restarts: how often it was started again since the boot.
        log: path of its log file.
        reason: why it failed or is being restarted.
    """

    name: str
    phase: Phase
    pid: int | None = None
    mark: str | None = None
    port: int | None = None
    restarts: int = 0
    log: str
    reason: str | None = None


class SupervisorRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The supervisor itself.

    Args:
        plan: what it was asked to run.
        culprit: name of the process whose failure ended the boot.
    """

    pid: int
    mark: str
    plan: Plan
    phase: StackPhase
    reason: str | None = None
    culprit: str | None = None


def start_mark(pid: int) -> str | None:
    """What tells a process from any other that ever has its pid: boot and start time. None: no such process runs.

    Linux's own tick count is used because wall-clock start times move when the clock is set.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None if Path("/proc/self").exists() else _portable_mark(pid)
    fields = stat.rpartition(")")[2].split()
    if fields[0] == "Z":
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}/{fields[19]}"


def _portable_mark(pid: int) -> str | None:
    try:
        return str(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def is_running(record: ProcessRecord | SupervisorRecord) -> bool:
    """Whether the very process of this record still runs."""
    return record.pid is not None and record.mark is not None and start_mark(record.pid) == record.mark


def write_process(home: Home, record: ProcessRecord) -> None:
    """Replace the record of a process."""
    write_private(home.run / f"process-{record.name}.json", msgspec.json.encode(record).decode())


def write_supervisor(home: Home, record: SupervisorRecord) -> None:
    """Replace the supervisor's record."""
    write_private(home.run / "supervisor.json", msgspec.json.encode(record).decode())


def read_supervisor(home: Home) -> SupervisorRecord | None:
    """The last supervisor's record, also of one that has ended; None if none was written."""
    try:
        return _read(home.run / "supervisor.json", SupervisorRecord)
    except FileNotFoundError:
        return None


def read_processes(home: Home) -> list[ProcessRecord]:
    """Every process record, by name."""
    files = sorted(home.run.glob("process-*.json"))
    return [_read(file, ProcessRecord) for file in files]


def _read(file: Path, record: type[R]) -> R:
    try:
        return msgspec.json.decode(file.read_bytes(), type=record)
    except msgspec.DecodeError as error:
        raise StackError(
            f"{file} was written by another version of photolog; stop what still runs with that version, "
            f"then remove {file.parent}"
        ) from error


def clear(home: Home) -> None:
    """Forget every record; only when nothing of them runs."""
    for file in [*home.run.glob("process-*.json"), home.run / "supervisor.json"]:
        file.unlink(missing_ok=True)
