"""`photolog test`: the linters and every test; what the project's CI runs."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli.progress import BootProgress
from infra.local.fetch import ensure_engines
from infra.local.home import REPOSITORY

# One process for each core; a file stays with one of them, so that its fixtures are made once.
FAST = ("-m", "not integration", "-n", "logical", "--dist", "loadfile")
# Properties are tried with fewer examples than in a whole run.
QUICK = ("--hypothesis-profile=fast",)
# The engines want the cores for themselves, and their tests take turns on them.
ENGINES = ("-m", "integration")
LINTERS: dict[str, tuple[str, ...]] = {
    "ruff check": ("ruff", "check", "--quiet", "."),
    "ruff format --check": ("ruff", "format", "--check", "--quiet", "."),
    "mypy --strict": ("mypy", "--strict", "--no-error-summary", "."),
    "lint-imports": ("lint-imports", "--no-logo"),
}
LINTER_SECONDS_MAX = 600
IDLY = ("nice", "-n", "19")
WHERE = (f"--rootdir={REPOSITORY}", str(REPOSITORY / "tests"))
Linted = tuple[int, str, float]
"""A linter's exit status, what it said, and the seconds that it took."""


def run_tests(
    pytest_arguments: Annotated[list[str] | None, typer.Argument(help="For pytest, which then runs alone.")] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Only what needs no engine.")] = False,
) -> None:
    """Run the linters and all tests, real engines included.

    The first time, this fetches the engines and installs Java 17 and Maven where it may.
    """
    console = Console()
    if not fast:
        progress = BootProgress(console)
        with progress.shown():
            ensure_engines(progress.say)
    if pytest_arguments:
        failed, statuses = [], [_pytest(*((*FAST, *QUICK) if fast else ()), *pytest_arguments)]
    elif fast:
        failed, statuses = _told(console, _linted()), [_pytest(*WHERE, *FAST, *QUICK)]
    else:
        failed, statuses = _everything(console)
    if failed:
        console.print(f"[red]Failed beside the tests: {', '.join(failed)}[/red]")
    raise typer.Exit(next((status for status in statuses if status), int(bool(failed))))


def _everything(console: Console) -> tuple[list[str], list[int]]:
    """All tests, and the linters in what engines leave of the cores: the linters that failed, the statuses of tests."""
    statuses = [_pytest(*WHERE, *FAST)]
    with ThreadPoolExecutor(1) as pool:
        linting = pool.submit(_linted, IDLY)
        statuses.append(_pytest(*WHERE, *ENGINES))
        return _told(console, linting.result()), statuses


def _pytest(*arguments: str) -> int:
    """Run pytest in the caller's folder, so that a path given there means what it says; its exit status."""
    command = [sys.executable, "-m", "pytest", "-c", str(REPOSITORY / "pyproject.toml"), *arguments]
    return subprocess.run(command, check=False).returncode


def _linted(before: tuple[str, ...] = ()) -> dict[str, Linted]:
    """Run the linters side by side, each behind these words."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        commands = [(*before, str(Path(sys.executable).parent / name), *rest) for name, *rest in LINTERS.values()]
        return dict(zip(LINTERS, pool.map(_lint, commands), strict=True))


def _told(console: Console, linted: dict[str, Linted]) -> list[str]:
    """Print what each linter says, and return the names of those that failed."""
    for name, (status, output, seconds) in linted.items():
        console.print(f"{'[green]✓[/green]' if status == 0 else '[red]✗[/red]'} {name} ({seconds:.1f} s)")
        if status != 0:
            sys.stdout.write(output)
            sys.stdout.flush()
    return [name for name, (status, _, _) in linted.items() if status != 0]


def _lint(command: tuple[str, ...]) -> Linted:
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=LINTER_SECONDS_MAX, check=False
    )
    return done.returncode, done.stdout + done.stderr, time.monotonic() - started
