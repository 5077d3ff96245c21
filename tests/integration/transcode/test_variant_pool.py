"""The pool goes on, whatever becomes of its processes."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.transcode.pictures import jpeg, quarters
from transcode.errors import Reason, SandboxUnavailable, UnprocessableMedia
from transcode.frames import SandboxLimits
from transcode.sandbox import VariantPool
from transcode.sniff import PhotoType

ROOT = Path(__file__).parents[3]
MISBEHAVING = "tests.unit.transcode.misbehaving_decoder"
LIMITS = SandboxLimits(wall_seconds_max=1.0, output_bytes_max=1_000_000)
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own guards are Linux's")


@pytest.fixture
async def pool() -> AsyncIterator[VariantPool]:
    async with VariantPool(1, LIMITS, MISBEHAVING) as opened:
        yield opened


async def order(pool: VariantPool, text: str) -> Reason | None:
    try:
        await pool.make(text.encode(), PhotoType.JPEG)
    except UnprocessableMedia as refusal:
        return refusal.reason
    return None


@pytest.mark.parametrize(
    ("misdeed", "reason"),
    [
        ("crash", Reason.DECODER_CRASHED),
        ("exit", Reason.DECODER_CRASHED),
        ("half", Reason.DECODER_CRASHED),
        ("flood", Reason.DECODER_CRASHED),
        ("garbage", Reason.DECODER_CRASHED),
        ("unplanned", Reason.DECODER_CRASHED),
        ("ready", Reason.DECODER_CRASHED),
        ("hang", Reason.TOO_SLOW),
        ("out-of-cpu", Reason.TOO_SLOW),
    ],
)
@pytest.mark.parametrize("is_used", [False, True])
async def test_a_picture_that_breaks_its_process_is_refused_and_the_next_is_made(
    pool: VariantPool, misdeed: str, reason: Reason, is_used: bool
) -> None:
    if is_used:
        assert await order(pool, "make") is None
    (broken,) = pool.pids
    assert await order(pool, misdeed) is reason
    assert await order(pool, "make") is None
    assert broken not in pool.pids
    assert is_gone(broken)


async def test_a_crash_that_an_earlier_picture_may_have_caused_is_tried_on_a_fresh_process(pool: VariantPool) -> None:
    assert await order(pool, "make") is None
    assert await order(pool, "crash-if-used") is None


async def test_a_process_killed_while_idle_is_replaced_unnoticed(pool: VariantPool) -> None:
    os.kill(pool.pids[0], signal.SIGKILL)
    assert await order(pool, "make") is None


async def test_a_process_killed_during_a_picture_costs_nobody_theirs() -> None:
    async with VariantPool(1) as pool:
        picture = jpeg(quarters(6_000, 6_000))
        await pool.make(picture, PhotoType.JPEG)
        (pid,) = pool.pids
        making = asyncio.create_task(pool.make(picture, PhotoType.JPEG))
        await asyncio.sleep(0.05)
        assert not making.done()
        os.kill(pid, signal.SIGKILL)
        assert (await making).follows_plan


async def test_a_cancelled_picture_leaves_no_answer_for_the_next(pool: VariantPool) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await order(pool, "late 0.4")
    await asyncio.sleep(0.5)
    assert await order(pool, "make") is None


async def test_a_process_is_replaced_after_its_share_of_pictures() -> None:
    async with VariantPool(1, SandboxLimits(pictures_max=2), MISBEHAVING) as pool:
        seen = [pool.pids[0] for _ in range(4) if await order(pool, "make") is None]
    assert seen[0] == seen[1] != seen[2] == seen[3]


async def test_more_callers_than_processes_all_get_their_answers() -> None:
    async with VariantPool(2, LIMITS, MISBEHAVING) as pool:
        orders = ["make", "crash", "make", "late 0.1", "make", "garbage"] * 2
        answers = await asyncio.gather(*(order(pool, text) for text in orders))
    assert answers == [None, Reason.DECODER_CRASHED, None, Reason.DAMAGED, None, Reason.DECODER_CRASHED] * 2


async def test_leaving_waits_for_pictures_in_progress_and_ends_every_process() -> None:
    async with VariantPool(2, LIMITS, MISBEHAVING) as pool:
        late = asyncio.create_task(order(pool, "late 0.2"))
        await asyncio.sleep(0.05)
        pids = pool.pids
    assert late.done()
    assert await late is Reason.DAMAGED
    assert all(is_gone(pid) for pid in pids)
    with pytest.raises(RuntimeError):
        await order(pool, "make")


async def test_a_decoder_that_cannot_start_is_not_the_pictures_fault() -> None:
    with pytest.raises(SandboxUnavailable, match="no_such_module"):
        async with VariantPool(2, LIMITS, "tests.unit.transcode.no_such_module"):
            pass


async def test_the_process_gets_no_secret(pool: VariantPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOLOG_SECRETS__MASTER_KEY", "secret")
    assert await order(pool, "crash") is Reason.DECODER_CRASHED
    with pytest.raises(UnprocessableMedia) as caught:
        await pool.make(b"environment", PhotoType.JPEG)
    assert caught.value.diagnosis == "[]"


@on_linux
async def test_the_kernel_holds_the_limits_of_a_real_decoder() -> None:
    limits = SandboxLimits(memory_bytes_max=1_000_000_000)
    async with VariantPool(1, limits) as pool:
        (pid,) = pool.pids
        bounds, status = of_kernel(pid, "limits"), of_kernel(pid, "status")
    assert [line.split()[-3:-1] for line in bounds.splitlines() if "address space" in line] == [["1000000000"] * 2]
    assert "NoNewPrivs:\t1" in status


@on_linux
def test_no_process_outlives_a_killed_worker() -> None:
    program = (
        "import asyncio\nfrom transcode.sandbox import VariantPool\n"
        "async def main():\n"
        "    async with VariantPool(2) as pool:\n"
        "        print(*pool.pids, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        pids = [int(word) for word in worker.stdout.readline().split()]
        worker.kill()
    assert len(pids) == 2
    deadline = time.monotonic() + 5
    while not all(is_gone(pid) for pid in pids):
        assert time.monotonic() < deadline, "a decoder outlived its worker"
        time.sleep(0.02)


def test_a_decoder_loads_jpeg_and_png_only() -> None:
    program = (
        "import pyvips, sys\nfrom transcode.decoder import confine\nfrom transcode.frames import SandboxLimits\n"
        "black = pyvips.Image.black(8, 8)\n"
        "files = {s: black.write_to_buffer(s) for s in ('.jpg', '.png', '.gif', '.tif', '.webp', '.avif')}\n"
        "confine(SandboxLimits())\n"
        "for suffix, data in files.items():\n"
        "    try:\n"
        "        pyvips.Image.new_from_buffer(data, '').copy_memory()\n"
        "        print(suffix)\n"
        "    except pyvips.Error:\n"
        "        pass\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [".jpg", ".png"]


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # An orphan that nobody has waited for yet still has its number.
    return sys.platform == "linux" and "\nState:\tZ" in of_kernel(pid, "status")


def of_kernel(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()
