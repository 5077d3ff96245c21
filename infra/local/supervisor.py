"""The process that owns all others of a stack: starts them in order, restarts what exits, stops all in reverse.

Run as `python -m infra.local.supervisor --home FOLDER` with a plan (`infra.local.plan`) as JSON on its standard input;
`infra.local.stack` does so.
"""

import argparse
import fcntl
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO

import msgspec

from infra.local.child import Child
from infra.local.home import Home
from infra.local.plan import Plan
from infra.local.records import StackPhase, SupervisorRecord, start_mark, write_supervisor
from infra.local.spec import ProcessSpec

EXIT_FAILED = 1
EXIT_LOCKED = 75
TICK_SECONDS = 0.1
_STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_SIGNALS = _STOP_SIGNALS | {signal.SIGCHLD}


class Supervisor:
    """Runs the processes of one stack until it is told to stop or the boot fails.

    Args:
        home: the stack's folders.
        plan: what to run there.
    """

    def __init__(self, home: Home, plan: Plan) -> None:
        self._home = home
        self._parent = plan.parent
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="probe")
        self._record = SupervisorRecord(pid=os.getpid(), mark=start_mark(os.getpid()) or "", plan=plan, phase="booting")
        environment = plan.site(home).environment
        self._children = {spec.name: Child(spec, home, environment, self._pool) for spec in plan.processes(home)}

    def run(self) -> int:
        """Own the processes until the end.

        Returns:
            0 after a requested stop, EXIT_FAILED after a failed boot.
        """
        self._settle("booting")
        for child in self._children.values():
            child.record()
        while not self._stop_wanted():
            for child in self._children.values():
                child.advance(may_start=self._may_start(child.spec))
            self._look_at_boot()
            if self._record.phase == "failed":
                break
        failed = self._record.phase == "failed"
        self._stop_all()
        self._pool.shutdown(cancel_futures=True)
        return EXIT_FAILED if failed else 0

    def _stop_wanted(self) -> bool:
        """Sleep until a signal or the next tick, then say whether to stop."""
        received = signal.sigtimedwait(_SIGNALS, TICK_SECONDS)
        orphaned = self._parent is not None and os.getppid() != self._parent
        return orphaned or (received is not None and received.si_signo in _STOP_SIGNALS)

    def _may_start(self, spec: ProcessSpec) -> bool:
        return all(self._children[name].satisfied for name in spec.depends_on)

    def _look_at_boot(self) -> None:
        if self._record.phase != "booting":
            return
        for child in self._children.values():
            if child.phase == "failed":
                self._settle("failed", f"{child.spec.name} {child.reason}", child.spec.name)
                return
        if all(child.satisfied for child in self._children.values()):
            self._settle("up")

    def _stop_all(self) -> None:
        failed = self._record.phase == "failed"
        if not failed:
            self._settle("stopping")
        while any(child.alive for child in self._children.values()):
            for child in self._children.values():
                if child.alive and not self._needed_by_living(child.spec.name):
                    child.stop()
            signal.sigtimedwait(_SIGNALS, TICK_SECONDS)
        if not failed:
            self._settle("stopped")

    def _needed_by_living(self, name: str) -> bool:
        return any(child.alive and name in child.spec.depends_on for child in self._children.values())

    def _settle(self, phase: StackPhase, reason: str | None = None, culprit: str | None = None) -> None:
        self._record = msgspec.structs.replace(self._record, phase=phase, reason=reason, culprit=culprit)
        write_supervisor(self._home, self._record)


def take_lock(home: Home, name: str = "supervisor") -> TextIO | None:
    """A lock of this home, held until the file is closed; None if another process holds it."""
    home.run.mkdir(parents=True, exist_ok=True)
    lock = (home.run / f"{name}.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def main() -> int:
    """Run a supervisor for the arguments of the command line."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.supervisor", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    options = parser.parse_args()
    # Blocked before the first thread starts, so that only the main thread's sigtimedwait takes them.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    home = Home(options.home)
    # By a pipe and not as arguments: what replaces the stack's keys may be secret.
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    home.prepare()
    lock = take_lock(home)
    if lock is None:
        return EXIT_LOCKED
    with lock:
        return Supervisor(home, plan).run()


if __name__ == "__main__":
    sys.exit(main())
