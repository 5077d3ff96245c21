"""One process of the stack through its life: waiting, starting, ready, and again after it exits."""

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from infra.local.environment import inherited
from infra.local.home import REPOSITORY, Home
from infra.local.logs import open_log
from infra.local.records import Phase, ProcessRecord, start_mark, write_process
from infra.local.spec import ProcessSpec

LAUNCHER = Path(__file__).with_name("launch.py")
RESTART_WINDOW_SECONDS = 60.0
RESTARTS_MAX = 10
BOOT_ATTEMPTS_MAX = 3
BACKOFF_FIRST_SECONDS = 0.25
BACKOFF_MAX_SECONDS = 5.0
PROBE_PAUSE_SECONDS = 0.2


class Child:
    """Starts, watches and stops one process. Every method is called from the supervisor's main thread only.

    The main thread, because Linux ties a child's death wish to the *thread* that forked it.

    Args:
        spec: what to run.
        home: where its log and record go.
        environment: the stack's keys.
        pool: where preparations and readiness probes run; both may block.
    """

    def __init__(self, spec: ProcessSpec, home: Home, environment: Mapping[str, str], pool: ThreadPoolExecutor) -> None:
        self.spec = spec
        self.phase: Phase = "waiting"
        self.reason: str | None = None
        self.restarts = 0
        self.was_ready = False
        self._home = home
        self._environment = environment
        self._pool = pool
        self._process: subprocess.Popen[bytes] | None = None
        self._mark: str | None = None
        self._exits: deque[float] = deque(maxlen=RESTARTS_MAX + 1)
        self._start_at = 0.0
        self._started_at = 0.0
        self._probe_at = 0.0
        self._preparation: Future[None] | None = None
        self._probe: Future[str | None] | None = None
        self._kill_at: float | None = None

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None

    @property
    def satisfied(self) -> bool:
        """Whether processes that depend on this one may start."""
        return self.phase in ("ready", "done")

    def record(self) -> None:
        """Write down its state for others to read."""
        pid = self._process.pid if self._process else None
        write_process(
            self._home,
            ProcessRecord(
                name=self.spec.name,
                phase=self.phase,
                pid=pid,
                mark=self._mark if pid else None,
                port=self.spec.port or self.spec.metrics_port,
                restarts=self.restarts,
                log=str(self._home.log(self.spec.name)),
                reason=self.reason,
            ),
        )

    def advance(self, *, may_start: bool) -> None:
        """Take the next step that is due.

        Args:
            may_start: whether all that it depends on is ready.
        """
        if self._process is not None:
            self._reap()
        if self.phase == "starting":
            self._look_whether_ready()
        elif self.phase in ("waiting", "restarting") and may_start and time.monotonic() >= self._start_at:
            self._prepare_then_start()

    def stop(self) -> None:
        """Ask it to end; after its bound, kill its whole group. Call it again until it is no longer alive."""
        if self._process is None:
            self._settle("stopped", self.reason)
            return
        now = time.monotonic()
        if self._kill_at is None:
            self._kill_at = now + self.spec.stop_seconds
            self._process.send_signal(signal.SIGTERM)
        elif now >= self._kill_at:
            kill_group(self._process.pid)
        if self._process.poll() is not None:
            kill_group(self._process.pid)
            self._process = None
            self._settle("stopped", self.reason)

    def _prepare_then_start(self) -> None:
        if self._preparation is None:
            self._preparation = self._pool.submit(self.spec.prepare)
        if not self._preparation.done():
            return
        failure = self._preparation.exception()
        self._preparation = None
        if failure is not None:
            self._settle("failed", f"could not be prepared: {failure}")
            return
        self._start()

    def _start(self) -> None:
        with open_log(self._home.log(self.spec.name)) as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), *self.spec.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._child_environment(),
                start_new_session=True,
            )
        self._mark = start_mark(self._process.pid)
        self._started_at = time.monotonic()
        self._probe_at = self._started_at + PROBE_PAUSE_SECONDS
        self._settle("starting", None)

    def _child_environment(self) -> dict[str, str]:
        path = os.environ.get("PYTHONPATH")
        root = str(REPOSITORY)
        return {
            **inherited(os.environ),
            **self._environment,
            **self.spec.environment,
            "PHOTOLOG_HOME": str(self._home.root),
            "PYTHONPATH": f"{root}{os.pathsep}{path}" if path and root not in path.split(os.pathsep) else path or root,
            "PYTHONUNBUFFERED": "1",
        }

    def _look_whether_ready(self) -> None:
        if self.spec.one_shot:
            return
        now = time.monotonic()
        if self._probe is None and now >= self._probe_at:
            self._probe = self._pool.submit(self.spec.ask)
        if self._probe is not None and self._probe.done():
            self.reason = self._probe.result()
            self._probe, self._probe_at = None, now + PROBE_PAUSE_SECONDS
            if self.reason is None:
                self.was_ready = True
                self._settle("ready", None)
                return
        if not self.was_ready and now - self._started_at > self.spec.ready_seconds:
            self._settle("failed", f"was not ready within {self.spec.ready_seconds:.0f} s: {self.reason}")

    def _reap(self) -> None:
        assert self._process is not None
        status = self._process.poll()
        if status is None:
            return
        kill_group(self._process.pid)
        self._process, self._probe = None, None
        if self.spec.one_shot and status == 0:
            self.was_ready = True
            self._settle("done", None)
        else:
            self._plan_restart(f"exited with {_described(status)}")

    def _plan_restart(self, reason: str) -> None:
        now = time.monotonic()
        self._exits.append(now)
        recent = sum(1 for at in self._exits if now - at < RESTART_WINDOW_SECONDS)
        if not self.was_ready and recent >= BOOT_ATTEMPTS_MAX:
            self._settle("failed", f"{reason}, {recent} times before it was ever ready")
        elif recent > RESTARTS_MAX:
            self._settle("failed", f"{reason}, more than {RESTARTS_MAX} times within {RESTART_WINDOW_SECONDS:.0f} s")
        else:
            self.restarts += 1
            self._start_at = now + min(BACKOFF_MAX_SECONDS, BACKOFF_FIRST_SECONDS * 2 ** (recent - 1))
            self._settle("restarting", reason)

    def _settle(self, phase: Phase, reason: str | None) -> None:
        if (phase, reason) != (self.phase, self.reason) or phase == "starting":
            self.phase, self.reason = phase, reason
            self.record()


def kill_group(pid: int) -> None:
    """SIGKILL a process and all that it started in its group; nothing happens where none of them is left."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _described(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
