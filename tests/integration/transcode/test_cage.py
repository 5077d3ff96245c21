"""What a program that reads hostile bytes can still do: nothing but its work."""

import asyncio
import ctypes
import os
import socket
import sys
import time
from pathlib import Path

import pytest

from tests.integration.transcode.test_variant_pool import is_gone
from transcode.caged import Bounds, Ended, python_paths, run_caged
from transcode.errors import Reason, SandboxUnavailable

ROOT = Path(__file__).parents[3]
BOUNDS = Bounds(memory_bytes_max=1024**3, cpu_seconds_max=20, wall_seconds_max=20.0, output_bytes_max=1_000_000)
LANDLOCK_VERSION = ctypes.CDLL(None).syscall(444, None, 0, 1) if sys.platform == "linux" else 0
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own guards are Linux's")
with_landlock = pytest.mark.skipif(LANDLOCK_VERSION < 1, reason="this kernel has no Landlock")


async def run(program: str, folder: Path, bounds: Bounds = BOUNDS) -> Ended:
    return await run_caged((sys.executable, "-c", program), folder, bounds, python_paths())


async def test_it_answers_and_says_what_went_wrong(tmp_path: Path) -> None:
    ended = await run("import sys; print('answer'); print('x' * 9000 + 'why', file=sys.stderr); sys.exit(3)", tmp_path)
    assert (ended.code, ended.answer, ended.reason) == (3, b"answer\n", None)
    assert ended.said.endswith("why")
    assert len(ended.said) <= 2_000


@on_linux
async def test_it_reaches_nobody_not_even_this_machine(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ended = await run(f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)", tmp_path)
    assert ended.code == 1
    assert "Error" in ended.said


@with_landlock
async def test_it_reads_and_writes_nothing_outside_its_folder(tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    for folder in (own, other):
        await asyncio.to_thread(folder.mkdir)
        await asyncio.to_thread((folder / "held").write_text, "content")
    attempts = {
        "read": f"open({str(other / 'held')!r}).read()",
        "list": f"__import__('os').listdir({str(other)!r})",
        "write": f"open({str(other / 'new')!r}, 'w')",
        "delete": f"__import__('os').unlink({str(other / 'held')!r})",
        "link": f"__import__('os').link({str(other / 'held')!r}, 'linked')",
        "settings": f"open({str(ROOT / 'pyproject.toml')!r}).read()",
        "the worker's environment": f"open('/proc/{os.getpid()}/environ').read()",
    }
    for name, attempt in attempts.items():
        ended = await run(attempt, own)
        assert (name, ended.code) == (name, 1)
        # A file that may not be linked looks as if it were on another disk.
        assert "PermissionError" in ended.said or "cross-device" in ended.said, name
    assert (await run("open('new', 'w').write(open('held').read())", own)).code == 0


async def test_it_gets_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOLOG_SECRETS__MASTER_KEY", "secret")
    ended = await run("import os; print(*os.environ)", tmp_path)
    assert ended.code == 0
    assert b"PHOTOLOG" not in ended.answer


@pytest.mark.parametrize(
    ("program", "bounds", "reason"),
    [
        ("while True: pass", {"cpu_seconds_max": 1}, Reason.TOO_SLOW),
        ("import time; time.sleep(60)", {"wall_seconds_max": 0.5}, Reason.TOO_SLOW),
        ("x = bytes(2**31)", {}, Reason.TOO_MUCH_MEMORY),
        ("open('big', 'wb').write(bytes(2_000_000))", {"output_bytes_max": 10_000}, Reason.TOO_MUCH_OUTPUT),
        ("import os; os.abort()", {}, Reason.DECODER_CRASHED),
    ],
)
async def test_every_bound_has_its_reason(
    tmp_path: Path, program: str, bounds: dict[str, float], reason: Reason
) -> None:
    found = {**{name: getattr(BOUNDS, name) for name in BOUNDS.__struct_fields__}, **bounds}
    # Python takes the signal of a file that is too large for an error, and other programs do not.
    program = f"import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n{program}"
    assert (await run(program, tmp_path, Bounds(**found))).reason is reason


async def test_many_files_together_are_too_much_output(tmp_path: Path) -> None:
    program = (
        "import time\nfor at in range(100):\n open(str(at), 'wb').write(bytes(9_000)); time.sleep(0.01)\ntime.sleep(9)"
    )
    bounds = Bounds(1024**3, 20, 20.0, output_bytes_max=100_000)
    assert (await run(program, tmp_path, bounds)).reason is Reason.TOO_MUCH_OUTPUT


async def test_what_cannot_be_started_is_our_own_fault(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="did not start"):
        await run_caged(("/no/such/program",), tmp_path, BOUNDS)


async def test_cancelling_kills_it_and_all_that_it_started(tmp_path: Path) -> None:
    program = "import os, time\nchild = os.fork()\nopen(f'pid-{os.getpid()}', 'w').close()\ntime.sleep(60)"
    running = asyncio.create_task(run(program, tmp_path))
    pids = await started(tmp_path, 2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await gone(pids)


async def test_nothing_that_it_started_outlives_it(tmp_path: Path) -> None:
    program = (
        "import os, time\nif os.fork():\n    time.sleep(0.5)\nelse:\n"
        "    open(f'pid-{os.getpid()}', 'w').close()\n    time.sleep(60)"
    )
    assert (await run(program, tmp_path)).code == 0
    await gone(await started(tmp_path, 1))


@on_linux
async def test_it_does_not_outlive_a_killed_worker(tmp_path: Path) -> None:
    worker = (
        "import asyncio, sys\nfrom pathlib import Path\n"
        "from tests.integration.transcode.test_cage import run\n"
        "program = \"import os, time; open(f'pid-{os.getpid()}', 'w').close(); time.sleep(60)\"\n"
        "asyncio.run(run(program, Path(sys.argv[1])))\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", worker, str(tmp_path), cwd=ROOT)
    pids = await started(tmp_path, 1)
    process.kill()
    await process.wait()
    await gone(pids)


async def started(folder: Path, count: int) -> list[int]:
    deadline = time.monotonic() + 10
    while len(names := [name for name in os.listdir(folder) if name.startswith("pid-")]) < count:
        assert time.monotonic() < deadline, "it did not start"
        await asyncio.sleep(0.02)
    return [int(name.removeprefix("pid-")) for name in names]


async def gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 5
    while not all(is_gone(pid) for pid in pids):
        assert time.monotonic() < deadline, "a process is left"
        await asyncio.sleep(0.02)


async def test_what_is_written_at_the_very_end_counts_too(tmp_path: Path) -> None:
    program = "for at in range(20):\n    open(str(at), 'wb').write(bytes(9_000))"
    ended = await run(program, tmp_path, Bounds(1024**3, 20, 20.0, output_bytes_max=100_000))
    assert (ended.code, ended.reason) == (0, Reason.TOO_MUCH_OUTPUT)
