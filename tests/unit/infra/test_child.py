"""One supervised process, with cheap commands in an engine's place."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.local import child as child_module
from infra.local.child import BOOT_ATTEMPTS_MAX, RESTARTS_MAX, Child
from infra.local.home import Home
from infra.local.records import read_processes, start_mark
from infra.local.spec import ProcessSpec


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.prepare()
    return home


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield pool


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "BACKOFF_FIRST_SECONDS", 0.001)
    monkeypatch.setattr(child_module, "BACKOFF_MAX_SECONDS", 0.01)
    monkeypatch.setattr(child_module, "PROBE_PAUSE_SECONDS", 0.01)


def spec(*command: str, **others: object) -> ProcessSpec:
    values = {"name": "thing", "command": command, "ready": lambda: True, "stop_seconds": 0.5, **others}
    return ProcessSpec(**values)  # type: ignore[arg-type]  # values of the fields' own types


def advance_until(child: Child, happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline, f"{child.phase}: {child.reason}"
        child.advance(may_start=True)
        time.sleep(0.005)


def stop(child: Child) -> None:
    while child.alive:
        child.stop()
        time.sleep(0.01)


def test_it_waits_for_what_it_depends_on(home: Home, pool: ThreadPoolExecutor) -> None:
    child = Child(spec("sleep", "30"), home, {}, pool)
    for _ in range(5):
        child.advance(may_start=False)
    assert child.phase == "waiting"
    assert not child.alive


def test_it_is_ready_when_the_process_itself_says_so(home: Home, pool: ThreadPoolExecutor) -> None:
    answers: Iterator[bool | OSError] = iter([False, OSError("refused"), True])

    def ready() -> bool:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    child = Child(spec("sleep", "30", ready=ready), home, {}, pool)
    advance_until(child, lambda: child.phase == "ready")
    (record,) = read_processes(home)
    assert record.phase == "ready"
    assert record.pid is not None
    assert start_mark(record.pid) == record.mark
    stop(child)
    assert read_processes(home)[0].phase == "stopped"


def test_it_gets_the_stacks_environment_and_its_own(home: Home, pool: ThreadPoolExecutor) -> None:
    show = 'echo "$PHOTOLOG_A-$PHOTOLOG_B"; exec sleep 30'
    child = Child(spec("sh", "-c", show, environment={"PHOTOLOG_B": "own"}), home, {"PHOTOLOG_A": "all"}, pool)
    advance_until(child, lambda: child.phase == "ready" and b"all-own" in home.log("thing").read_bytes())
    stop(child)


def test_a_step_that_succeeds_is_done_and_not_repeated(home: Home, pool: ThreadPoolExecutor) -> None:
    child = Child(spec("true", one_shot=True), home, {}, pool)
    advance_until(child, lambda: child.phase == "done")
    for _ in range(5):
        child.advance(may_start=True)
    assert child.satisfied
    assert child.restarts == 0


def test_what_never_becomes_ready_fails_the_boot_with_its_reason(home: Home, pool: ThreadPoolExecutor) -> None:
    child = Child(spec("sh", "-c", "exit 7", ready=lambda: False), home, {}, pool)
    advance_until(child, lambda: child.phase == "failed")
    assert child.reason == f"exited with status 7, {BOOT_ATTEMPTS_MAX} times before it was ever ready"


def test_a_boot_that_takes_too_long_fails(home: Home, pool: ThreadPoolExecutor) -> None:
    child = Child(spec("sleep", "30", ready=lambda: False, ready_seconds=0.1), home, {}, pool)
    advance_until(child, lambda: child.phase == "failed")
    assert "not ready within" in (child.reason or "")
    stop(child)


def test_a_preparation_that_fails_is_told(home: Home, pool: ThreadPoolExecutor) -> None:
    def prepare() -> None:
        raise OSError("disk is full")

    child = Child(spec("sleep", "30", prepare=prepare), home, {}, pool)
    advance_until(child, lambda: child.phase == "failed")
    assert "disk is full" in (child.reason or "")


def test_restarts_are_bounded(home: Home, pool: ThreadPoolExecutor) -> None:
    child = Child(spec("sleep", "30"), home, {}, pool)
    for _ in range(RESTARTS_MAX + 1):
        advance_until(child, lambda: child.phase == "ready")
        pid = read_processes(home)[0].pid
        assert pid is not None
        os.kill(pid, 9)
        advance_until(child, lambda: child.phase != "ready")
    assert child.phase == "failed"
    assert child.restarts == RESTARTS_MAX
    assert f"signal SIGKILL, more than {RESTARTS_MAX} times" in (child.reason or "")


def test_stopping_kills_what_ignores_sigterm_and_its_own_children(home: Home, pool: ThreadPoolExecutor) -> None:
    program = (
        "import signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print(subprocess.Popen(['sleep', '300']).pid, flush=True); time.sleep(300)"
    )
    log = home.log("thing")
    child = Child(spec(sys.executable, "-c", program), home, {}, pool)
    advance_until(child, lambda: child.phase == "ready" and log.read_bytes().endswith(b"\n"))
    grandchild = int(log.read_text())
    stop(child)
    time.sleep(0.05)
    assert start_mark(grandchild) is None
