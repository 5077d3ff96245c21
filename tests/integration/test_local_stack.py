"""The local stack on real engines: boot, status, crashes, refusals, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.local.errors import AlreadyUp, PortTaken
from infra.local.ports import check_free, is_free, pick_free_port_base
from infra.local.records import start_mark
from infra.local.stack import Stack
from infra.local.status import stack_status
from infra.local.varnish import varnish_executable

CACHE = {"varnish"} if varnish_executable() else set()
ENGINES = {"kafka", "cassandra", "s3proxy", "valkey", "apicurio", *CACHE}
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.integration


def eventually(happened: Callable[[], bool], seconds: float) -> bool:
    """Whether it happens within the bound."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.1)
    return False


def command_line(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run bin/photolog in the stack's home, from another folder."""
    environment = os.environ | {"PHOTOLOG_HOME": str(stack.home.root)}
    return subprocess.run(
        [str(ROOT / "bin/photolog"), *arguments],
        cwd="/", env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that these tests may kill; the shared one is left alone."""
    stack = Stack(tmp_path_factory.mktemp("own-stack"), pick_free_port_base(), engines_only=True)
    stack.start(detached=True)
    yield stack
    stack.stop()


def test_every_engine_answers_in_its_own_protocol(own_stack: Stack) -> None:
    status = stack_status(own_stack.home)
    assert {process.name for process in status if process.ready} == ENGINES


def test_status_lists_one_object_a_line_and_succeeds(own_stack: Stack) -> None:
    answer = command_line(own_stack, "status", "--json")
    assert answer.returncode == 0, answer.stderr
    assert len(answer.stdout.splitlines()) == len(ENGINES)


def test_a_second_start_is_refused_clearly(own_stack: Stack) -> None:
    with pytest.raises(AlreadyUp, match="already up"):
        Stack(own_stack.home.root, own_stack.plan.port_base, engines_only=True).start()
    answer = command_line(own_stack, "up")
    assert answer.returncode == 1
    assert "already up" in answer.stderr


def test_another_home_on_the_same_ports_is_refused_naming_the_holder(own_stack: Stack, tmp_path: Path) -> None:
    with pytest.raises(PortTaken, match=r"kafka.*java \(pid \d+\).*--port-base"):
        Stack(tmp_path, own_stack.plan.port_base, engines_only=True).start()


def test_a_killed_engine_is_started_again(own_stack: Stack) -> None:
    killed = own_stack.kill("valkey")
    assert eventually(lambda: own_stack.pids.get("valkey", killed) != killed, seconds=20)
    assert eventually(lambda: all(process.ready for process in stack_status(own_stack.home)), seconds=20)
    restarts = {process.name: process.restarts for process in stack_status(own_stack.home)}
    assert restarts["valkey"] == 1
    assert restarts["kafka"] == 0


def test_nothing_outlives_a_killed_supervisor_and_the_next_boot_and_down_work(own_stack: Stack) -> None:
    supervisor = own_stack.supervisor_pid
    pids = own_stack.pids
    assert supervisor is not None
    assert set(pids) == ENGINES

    os.kill(supervisor, signal.SIGKILL)

    assert eventually(lambda: all(start_mark(pid) is None for pid in pids.values()), seconds=10)
    assert command_line(own_stack, "status").returncode == 3

    booted = command_line(own_stack, "up", "--detach", "--engines-only", "--port-base", str(own_stack.plan.port_base))
    assert booted.returncode == 0, booted.stdout + booted.stderr
    pids = own_stack.pids
    assert set(pids) == ENGINES

    down = command_line(own_stack, "down", "--wipe")

    assert down.returncode == 0, down.stderr
    assert all(start_mark(pid) is None for pid in pids.values())
    assert not own_stack.home.data.exists()
    assert command_line(own_stack, "down").stdout.strip() == "Nothing was running."
    check_free({"kafka": own_stack.plan.port_base + 1, "cassandra": own_stack.plan.port_base + 3})


def test_the_application_runs_over_the_engines_of_another_stack(stack: Stack, tmp_path: Path) -> None:
    engines = stack.pids
    with Stack.applications_over(stack, tmp_path) as application:
        status = {process.name: process for process in stack_status(application.home)}
        workers = {"worker-0", "worker-1", "transcode-worker", "moderation-worker", "leaving-worker", "purge-worker"}
        workers |= {"keeper-worker", "flink-worker"}
        assert workers | {"edge", "gateway", "flink-jobmanager", "flink-taskmanager"} < set(status)
        assert {"job trending", "job story-views", "job engagement"} < set(status)
        assert all(process.ready for process in status.values())

        killed = application.kill("worker-0")

        assert eventually(lambda: application.pids.get("worker-0", killed) != killed, seconds=20)
    assert application.pids == {}
    assert stack.pids == engines


def test_a_boot_that_fails_shows_the_end_of_the_log_and_leaves_nothing(tmp_path: Path) -> None:
    stack = Stack(tmp_path, pick_free_port_base(), engines_only=True)
    stack.home.prepare()
    (stack.home.data / "kafka").mkdir()
    (stack.home.data / "kafka/formatted").touch()  # It is not, and Kafka refuses to start.

    booted = command_line(stack, "up", "--detach", "--engines-only", "--port-base", str(stack.plan.port_base))

    assert booted.returncode == 1
    assert "kafka exited with status 1" in booted.stderr
    assert "meta.properties" in booted.stderr
    assert not stack.is_up()
    assert stack.pids == {}


def test_a_stack_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    base = pick_free_port_base()
    program = (
        "import sys, time; from pathlib import Path; from infra.local.stack import Stack\n"
        "stack = Stack(Path(sys.argv[1]), int(sys.argv[2]), engines_only=True)\n"
        "stack.start(); print('up', flush=True); time.sleep(600)"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path), str(base)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "up\n"
        stack = Stack(tmp_path, base, engines_only=True)
        pids = stack.pids
        assert set(pids) == ENGINES
    finally:
        starter.kill()
        starter.communicate(timeout=10)

    assert eventually(lambda: not stack.is_up(), seconds=60)
    assert all(start_mark(pid) is None for pid in pids.values())
    assert is_free(base + 1)
