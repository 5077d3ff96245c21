"""One local stack, seen from outside its supervisor: boot it, ask it, stop it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self, TextIO

import msgspec

from infra.local.child import kill_group
from infra.local.errors import AlreadyUp, StackError
from infra.local.fetch import ensure_engines
from infra.local.home import REPOSITORY, Home
from infra.local.logs import open_log, tail
from infra.local.plan import Plan
from infra.local.ports import check_free
from infra.local.records import (
    ProcessRecord,
    SupervisorRecord,
    clear,
    is_running,
    read_processes,
    read_supervisor,
)
from infra.local.supervisor import take_lock

POLL_SECONDS = 0.1
STOP_SECONDS = 75.0
KILL_SECONDS = 10.0

Progress = Callable[[list[ProcessRecord]], None]


def _silent(_: object) -> None:
    """What a caller who wants no progress is given."""


class Stack:
    """A stack in a home, on a set of ports.

    Args:
        home: its folder.
        port_base: first port of its set (see `infra.local.ports`).
        engines_only: leave the application's processes out.
        overrides: PHOTOLOG_* keys that replace what the stack would set, for all of its processes.
    """

    def __init__(
        self, home: Path, port_base: int, *, engines_only: bool = False, overrides: Mapping[str, str] | None = None
    ) -> None:
        self.home = Home(home.resolve())
        self.plan = Plan(
            port_base=port_base, parts="engines" if engines_only else "all", overrides=dict(overrides or {})
        )
        self._supervisor: subprocess.Popen[bytes] | None = None

    @classmethod
    def applications_over(cls, engines: Self, home: Path, overrides: Mapping[str, str] | None = None) -> Self:
        """A stack of the application's processes alone, which use the engines of another one.

        Args:
            engines: a stack of engines only, and up.
            home: a folder of its own.
            overrides: as for any stack.
        """
        stack = cls(home, engines.plan.port_base, overrides=engines.environment() | dict(overrides or {}))
        stack.plan = msgspec.structs.replace(stack.plan, parts="applications")
        return stack

    @classmethod
    def flink_over(cls, engines: Self, home: Path) -> Self:
        """A Flink cluster alone, whose jobs use the engines of another stack.

        Args:
            engines: a stack of engines only, and up.
            home: a folder of its own.
        """
        # Where states in a bucket would be.
        shared = {key: value for key, value in engines.environment().items() if key.startswith("PHOTOLOG_S3__")}
        stack = cls(home, engines.plan.port_base, overrides=shared)
        stack.plan = msgspec.structs.replace(stack.plan, parts="flink")
        return stack

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(
        self, *, detached: bool = False, say: Callable[[str], None] = _silent, progress: Progress = _silent
    ) -> None:
        """Boot everything and return when all of it is ready.

        Args:
            detached: let the stack outlive this process.
            say: told what is being prepared.
            progress: given every process's record, again and again while they boot.

        Raises:
            AlreadyUp: a stack runs in this home.
            LayoutMismatch: the home's data is of another layout.
            PortTaken: a port is not free.
            StackError: something could not be fetched, or a process failed; the message ends with its log.
        """
        self.home.prepare()
        with self._starting():
            self._clean_up_after_crash()
            ensure_engines(say)
            self._check_ports()
            self._spawn(detached)
            try:
                self._await_boot(progress)
            except BaseException:
                # Also after Ctrl-C: whatever has booted so far must not stay.
                self.stop(keep_records=True)
                raise

    def stop(self, *, keep_records: bool = False) -> list[str]:
        """Stop the stack of this home, whoever started it, and whatever an earlier crash left.

        Returns:
            The names of the processes that were running.
        """
        running = [record.name for record in read_processes(self.home) if is_running(record)]
        supervisor = read_supervisor(self.home)
        if supervisor is not None and is_running(supervisor):
            self._end_supervisor(supervisor)
        self._reap_supervisor()
        self._clean_up_after_crash()
        if not keep_records:
            clear(self.home)
        return running

    def is_up(self) -> bool:
        """Whether a supervisor runs in this home."""
        record = read_supervisor(self.home)
        return record is not None and is_running(record)

    def environment(self) -> dict[str, str]:
        """Every PHOTOLOG_* key that a process needs to use this stack."""
        return dict(self.plan.site(self.home).environment)

    @property
    def pids(self) -> dict[str, int]:
        """The pid of each process that runs now, by name."""
        return {
            record.name: record.pid
            for record in read_processes(self.home)
            if record.pid is not None and is_running(record)
        }

    @property
    def supervisor_pid(self) -> int | None:
        """The supervisor's pid while it runs."""
        record = read_supervisor(self.home)
        return record.pid if record is not None and is_running(record) else None

    def kill(self, name: str) -> int:
        """Send SIGKILL to a process of the stack.

        Returns:
            The pid that was killed.

        Raises:
            StackError: no such process runs.
        """
        pid = self.pids.get(name)
        if pid is None:
            raise StackError(f"No process named {name} runs in {self.home.root}.")
        os.kill(pid, signal.SIGKILL)
        return pid

    def wipe(self) -> None:
        """Remove everything that this home's stack wrote.

        Raises:
            AlreadyUp: it runs; nothing was touched.
        """
        with self._starting():
            self.home.wipe()

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """Keep every other start away, and refuse where a stack runs already."""
        with self._lock("start"):
            # Free now; the supervisor that is about to start takes it.
            self._lock("supervisor").close()
            yield

    def _lock(self, name: str) -> TextIO:
        lock = take_lock(self.home, name)
        if lock is None:
            raise AlreadyUp(
                f"A stack is already up, or just starting, in {self.home.root}. See `bin/photolog status`, stop it "
                "with `bin/photolog down`, or run another one with PHOTOLOG_HOME and --port-base."
            )
        return lock

    def _clean_up_after_crash(self) -> None:
        """Kill what a supervisor that was killed may have left, and wait until it is gone."""
        left = [record for record in read_processes(self.home) if is_running(record)]
        for record in left:
            if record.pid is not None:
                kill_group(record.pid)
        deadline = time.monotonic() + KILL_SECONDS
        while any(is_running(record) for record in left):
            if time.monotonic() > deadline:
                names = ", ".join(f"{record.name} (pid {record.pid})" for record in left if is_running(record))
                raise StackError(f"Processes of an earlier stack do not end: {names}.")
            time.sleep(POLL_SECONDS)

    def _check_ports(self) -> None:
        check_free({name: port for spec in self.plan.processes(self.home) for name, port in spec.ports().items()})

    def _spawn(self, detached: bool) -> None:
        clear(self.home)
        plan = self.plan if detached else msgspec.structs.replace(self.plan, parent=os.getpid())
        with open_log(self.home.log("supervisor")) as log:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-m", "infra.local.supervisor", "--home", str(self.home.root)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
                start_new_session=True,
            )
        assert self._supervisor.stdin is not None
        # One that ended at once cannot be told; waiting for it shows why.
        with suppress(BrokenPipeError), self._supervisor.stdin as pipe:
            pipe.write(msgspec.json.encode(plan))

    def _await_boot(self, progress: Progress) -> None:
        assert self._supervisor is not None
        while True:
            record = read_supervisor(self.home)
            status = self._supervisor.poll()
            progress(read_processes(self.home))
            if record is not None and record.phase == "up":
                return
            if status is not None or (record is not None and record.phase == "failed"):
                raise self._boot_failure(record, status)
            time.sleep(POLL_SECONDS)

    def _boot_failure(self, record: SupervisorRecord | None, status: int | None) -> StackError:
        name = (record.culprit if record else None) or "supervisor"
        reason = (record.reason if record else None) or f"the supervisor ended with status {status}"
        log = self.home.log(name)
        return StackError(f"The stack did not boot: {reason}. The end of {log}:\n{tail(log)}")

    def _end_supervisor(self, record: SupervisorRecord) -> None:
        os.kill(record.pid, signal.SIGTERM)
        if not self._ended_within(record, STOP_SECONDS):
            os.kill(record.pid, signal.SIGKILL)
            if not self._ended_within(record, KILL_SECONDS):
                raise StackError(f"The supervisor (pid {record.pid}) does not end.")

    def _reap_supervisor(self) -> None:
        """Take the exit status of a supervisor that this object started, also of one that was killed."""
        if self._supervisor is not None:
            self._supervisor.wait(timeout=KILL_SECONDS)
            self._supervisor = None

    def _ended_within(self, record: SupervisorRecord, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while is_running(record):
            if time.monotonic() > deadline:
                return False
            if self._supervisor is not None:
                self._supervisor.poll()
            time.sleep(POLL_SECONDS)
        return True
