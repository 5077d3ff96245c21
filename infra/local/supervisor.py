"""The process that owns all others of a stack: starts them in order, restarts what exits, stops all in reverse.

Run as `python -m infra.local.supervisor --home FOLDER --port-base N`; `infra.local.stack` does so.
"""

import argparse
import fcntl
import os
import signal
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO

import msgspec

from infra.local.child import Child
from infra.local.environment import stack_environment
from infra.local.home import Home
from infra.local.ports import ports_from
from infra.local.processes import stack_processes
from infra.local.records import StackPhase, SupervisorRecord, start_mark, write_supervisor
from infra.local.spec import ProcessSpec, Site

EXIT_FAILED = 1
EXIT_LOCKED = 75
TICK_SECONDS = 0.1
_STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_SIGNALS = _STOP_SIGNALS | {signal.SIGCHLD}


class Supervisor:
    """Runs the processes of one stack until it is told to stop or the boot fails.

    Args:
        home: the stack's folders.
        port_base: first port of its set.
        engines_only: leave the application's processes out.
        parent: pid of the process that this stack must not outlive; None for a stack of its own.
        overrides: PHOTOLOG_* keys that replace the stack's own.
    """

    def __init__(
        self, home: Home, port_base: int, *, engines_only: bool, parent: int | None, overrides: dict[str, str]
    ) -> None:
        self._home = home
        self._parent = parent
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="probe")
        self._record = SupervisorRecord(
            pid=os.getpid(),
            mark=start_mark(os.getpid()) or "",
            port_base=port_base,
            engines_only=engines_only,
            overrides=overrides,
            phase="booting",
        )
        site = make_site(home, port_base, overrides)
        specs = stack_processes(site, engines_only=engines_only)
        self._children = {spec.name: Child(spec, home, site.environment, self._pool) for spec in specs}

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


def make_site(home: Home, port_base: int, overrides: Mapping[str, str]) -> Site:
    """The site of a stack; draws the home's secrets at its first boot."""
    ports = ports_from(port_base)
    return Site(home, ports, stack_environment(home, ports) | dict(overrides))


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
    parser.add_argument("--port-base", type=int, required=True)
    parser.add_argument("--engines-only", action="store_true")
    parser.add_argument("--parent", type=int, help="stop when this process, which started it, is gone")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="replace a key of the stack")
    options = parser.parse_args()
    # Blocked before the first thread starts, so that only the main thread's sigtimedwait takes them.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    home = Home(options.home)
    home.prepare()
    lock = take_lock(home)
    if lock is None:
        return EXIT_LOCKED
    with lock:
        supervisor = Supervisor(
            home,
            options.port_base,
            engines_only=options.engines_only,
            parent=options.parent,
            overrides=dict(item.split("=", 1) for item in options.set),
        )
        return supervisor.run()


if __name__ == "__main__":
    sys.exit(main())
