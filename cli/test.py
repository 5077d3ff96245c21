"""`photolog test`: the linters, then every test; what the project's CI runs."""

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
    failed = [] if pytest_arguments else _failed_linters(console)
    if pytest_arguments:
        statuses = [_pytest(*((*FAST, *QUICK) if fast else ()), *pytest_arguments)]
    else:
        where = (f"--rootdir={REPOSITORY}", str(REPOSITORY / "tests"))
        statuses = [_pytest(*where, *kind) for kind in (((*FAST, *QUICK),) if fast else (FAST, ENGINES))]
    if failed:
        console.print(f"[red]Failed before the tests: {', '.join(failed)}[/red]")
    raise typer.Exit(next((status for status in statuses if status), int(bool(failed))))


def _pytest(*arguments: str) -> int:
    """Run pytest in the caller's folder, so that a path given there means what it says; its exit status."""
    command = [sys.executable, "-m", "pytest", "-c", str(REPOSITORY / "pyproject.toml"), *arguments]
    return subprocess.run(command, check=False).returncode


def _failed_linters(console: Console) -> list[str]:
    """Run them side by side, print what each says, and return the names of those that failed."""
    failed = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for name, (status, output, seconds) in zip(LINTERS, pool.map(_lint, LINTERS.values()), strict=True):
            console.print(f"{'[green]✓[/green]' if status == 0 else '[red]✗[/red]'} {name} ({seconds:.1f} s)")
            if status != 0:
                failed.append(name)
                sys.stdout.write(output)
                sys.stdout.flush()
    return failed


def _lint(arguments: tuple[str, ...]) -> tuple[int, str, float]:
    started = time.monotonic()
    program = str(Path(sys.executable).parent / arguments[0])
    done = subprocess.run(
        [program, *arguments[1:]],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=LINTER_SECONDS_MAX, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr, time.monotonic() - started
