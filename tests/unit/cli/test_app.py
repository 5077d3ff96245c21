"""The command line: quick help, commands imported only when used, messages instead of tracebacks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from cli import app as command_line
from cli.app import COMMANDS, Entry

ROOT = Path(__file__).parents[3]
HEAVY = ("cassandra", "confluent_kafka", "faust", "pyvips", "starlette", "boto3", "redis", "numpy", "msgspec")


@pytest.fixture(autouse=True)
def no_local_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line points its own process at the default home's stack; this process is the tests'."""
    monkeypatch.setenv("PHOTOLOG_HOME", str(tmp_path / "home"))


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "bin/photolog"), *arguments],
        cwd="/", env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_help_imports_no_command() -> None:
    program = (
        "import sys, cli.app; from typer.testing import CliRunner;"
        "result = CliRunner().invoke(cli.app.app, ['--help']); assert result.exit_code == 0, result.output;"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(done.stdout.split())
    assert not loaded.intersection(HEAVY)
    assert not loaded.intersection(entry.module for entry in COMMANDS.values())


def test_every_command_that_exists_is_listed_and_has_help_with_its_example() -> None:
    listing = run("--help", COLUMNS="200", TERM="dumb").stdout
    for name in ("up", "down", "status", "test"):
        assert COMMANDS[name].summary in listing
        page = CliRunner().invoke(command_line.app, [name, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
        assert page.exit_code == 0, page.output
        assert COMMANDS[name].example in page.output


def test_a_command_whose_module_does_not_exist_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "future", Entry("cli.future:future", "Later.", "bin/photolog future"))
    runner = CliRunner()
    assert "future" not in runner.invoke(command_line.app, ["--help"]).output
    assert runner.invoke(command_line.app, ["future"]).exit_code == 2


def test_it_runs_from_another_folder_and_through_a_symlink(tmp_path: Path) -> None:
    link = tmp_path / "photolog"
    link.symlink_to(os.path.relpath(ROOT / "bin/photolog", tmp_path))
    done = subprocess.run([str(link), "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_status_of_nothing_says_so_and_is_not_success(tmp_path: Path) -> None:
    answer = run("status", "--json", PHOTOLOG_HOME=str(tmp_path))
    assert (answer.returncode, answer.stdout) == (3, "")
    assert "Nothing is up" in answer.stderr


def test_down_of_nothing_says_so_and_succeeds(tmp_path: Path) -> None:
    answer = run("down", PHOTOLOG_HOME=str(tmp_path))
    assert (answer.returncode, answer.stdout.strip()) == (0, "Nothing was running.")


def test_an_error_of_ours_is_a_message_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "data/kafka").mkdir(parents=True)
    answer = run("up", "--engines-only", PHOTOLOG_HOME=str(tmp_path))
    assert answer.returncode == 1
    assert answer.stderr.startswith("photolog: The data in")
    assert "Traceback" not in answer.stderr


def test_what_a_command_logs_is_not_in_what_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    command_line.root()
    logger = structlog.get_logger("a store")
    logger.info("generations", version=6)
    logger.warning("away")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "away" in printed.err
    assert "generations" not in printed.err
