"""Makes the repository's Python environment, `.photolog/venv`, hold exactly what requirements.lock names.

Run by bin/photolog with the system's Python 3.11, so it imports the standard library only. Two at once take turns. The
stamp is written last; a run that was killed leaves its mark instead, and the next one begins with a new environment,
because an install that stopped half-way can look whole to pip.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WITHOUT_A_TERMINAL_EVERY = 20


def main(root: Path) -> int:
    """Bring the environment in line with the lock.

    Args:
        root: of the repository.

    Returns:
        An exit status: 0, or that of the step that failed.
    """
    shared = root / ".photolog"
    with _one_at_a_time(shared) as mutex:
        lock = (root / "requirements.lock").read_bytes()
        stamp = shared / "venv.lock"
        if stamp.exists() and stamp.read_bytes() == lock and (shared / "venv/bin/python").exists():
            return 0
        interrupted = shared / "venv.installing"
        if interrupted.exists() and (shared / "venv").exists():
            print("An earlier set-up was interrupted: beginning again.", file=sys.stderr)
            shutil.rmtree(shared / "venv")
        stamp.unlink(missing_ok=True)
        interrupted.touch()
        status = _make(shared / "venv") or _install(root, shared, lock.count(b"==") or 1, mutex)
        if status == 0:
            temporary = shared / "venv.lock.new"
            temporary.write_bytes(lock)
            interrupted.unlink()
            temporary.replace(stamp)
        return status


@contextmanager
def _one_at_a_time(shared: Path) -> Iterator[int]:
    shared.mkdir(exist_ok=True)
    with (shared / "venv.mutex").open("w") as mutex:
        try:
            fcntl.flock(mutex, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another photolog that is setting Python up …", file=sys.stderr)
            fcntl.flock(mutex, fcntl.LOCK_EX)
        yield mutex.fileno()


def _make(venv: Path) -> int:
    if (venv / "bin/python").exists():
        return 0
    print(f"Creating {venv} …", file=sys.stderr)
    command = [sys.executable, "-m", "venv", str(venv)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 and _installed_venv_package():
        shutil.rmtree(venv, ignore_errors=True)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout + done.stderr, file=sys.stderr)
        print(
            "This Python cannot make environments. On Debian or Ubuntu: sudo apt-get install python3.11-venv",
            file=sys.stderr,
        )
    return done.returncode


def _installed_venv_package() -> bool:
    """Debian keeps `venv` in a package of its own; install it where that is allowed."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    print("Installing python3.11-venv with apt-get (once) …", file=sys.stderr)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "python3.11-venv"]):
        if subprocess.run([apt, *arguments], stdout=sys.stderr, env=environment, check=False).returncode != 0:
            return False
    return True


def _install(root: Path, shared: Path, packages: int, mutex: int) -> int:
    log = shared / "pip.log"
    print(f"Installing {packages} Python packages (once; a minute or two) …", file=sys.stderr)
    command = [
        str(shared / "venv/bin/python"), "-m", "pip", "install", "--disable-pip-version-check", "--no-color",
        "--progress-bar", "off", "--require-hashes", "-r", str(root / "requirements.lock"),
    ]  # fmt: skip
    with (
        log.open("w") as output,
        # pip holds the lock too, so that one whose parent was killed is waited for.
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, pass_fds=[mutex]) as pip,
    ):
        assert pip.stdout is not None
        collected = 0
        for line in pip.stdout:
            output.write(line)
            output.flush()
            if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                collected += 1
                _show(f"{collected}/{packages} {line.split()[1 if line.startswith('C') else 3]}", collected)
            elif line.startswith("Installing "):
                _show("installing what was collected", WITHOUT_A_TERMINAL_EVERY)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if pip.returncode != 0:
        print(f"pip failed; the end of {log}:\n{log.read_text()[-3000:]}", file=sys.stderr)
    return pip.returncode


def _show(text: str, count: int) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[2K  {text[:70]}", end="", file=sys.stderr, flush=True)
    elif count % WITHOUT_A_TERMINAL_EVERY == 0:
        print(f"  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
