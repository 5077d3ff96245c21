"""Records: what is written is read back, and a recycled pid is not mistaken for the process."""

import os
import subprocess
from pathlib import Path

import pytest

from infra.local.errors import StackError
from infra.local.home import Home
from infra.local.plan import Plan
from infra.local.records import (
    ProcessRecord,
    SupervisorRecord,
    clear,
    is_running,
    read_processes,
    read_supervisor,
    start_mark,
    write_process,
    write_supervisor,
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.prepare()
    return home


def record(pid: int | None, mark: str | None) -> ProcessRecord:
    return ProcessRecord(name="kafka", phase="ready", pid=pid, mark=mark, port=20_001, log="kafka.log")


def test_records_are_read_back_and_forgotten(home: Home) -> None:
    assert read_supervisor(home) is None
    supervisor = SupervisorRecord(pid=1, mark="m", plan=Plan(port_base=20_000), phase="up")
    write_supervisor(home, supervisor)
    write_process(home, record(1, "m"))
    assert read_supervisor(home) == supervisor
    assert read_processes(home) == [record(1, "m")]
    clear(home)
    assert read_processes(home) == []
    assert read_supervisor(home) is None


def test_this_process_runs_and_its_mark_stays_the_same() -> None:
    mark = start_mark(os.getpid())
    assert mark is not None
    assert mark == start_mark(os.getpid())
    assert is_running(record(os.getpid(), mark))


def test_a_later_process_with_the_same_pid_is_not_the_one_recorded() -> None:
    assert not is_running(record(os.getpid(), "an earlier boot/123"))


def test_a_process_that_ended_does_not_run_also_before_it_is_reaped() -> None:
    with subprocess.Popen(["sleep", "30"]) as process:
        mark = start_mark(process.pid)
        assert is_running(record(process.pid, mark))
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not is_running(record(process.pid, mark))
    assert not is_running(record(process.pid, mark))


def test_what_never_started_does_not_run() -> None:
    assert not is_running(record(None, None))


def test_a_record_of_another_version_is_told_in_words(home: Home) -> None:
    (home.run / "supervisor.json").write_text('{"pid": 1, "mark": "x", "phase": "up"}')
    with pytest.raises(StackError, match="another version"):
        read_supervisor(home)
