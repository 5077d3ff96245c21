"""How long a page takes at half of what saturates the gateway, while the accounts that it shows post and are liked.

Gateway, worker, writers and load share one machine. Requests begin on a schedule, and one that had to wait for its
connection took that long, too: a gateway that stalls cannot hide it.
"""

import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping

import httpx
import msgspec

from benchmarks import feed_world
from benchmarks.feed_gateway import CARDS, Serving, Viewer, measured, page_load, serving, sign_in, warm_page
from benchmarks.feed_writes import Writes
from benchmarks.http_load import Rate
from benchmarks.result import Result

_FOLLOWEES = 100
_POSTS_PER_SECOND = 10.0
_LIKES_PER_POST = 5
_SECONDS = 8
_CONNECTIONS = 16  # few enough that none is idle until the server closes it
_FLOW_SECONDS = 90.0


def run(rounds: int = 5) -> list[Result]:
    """Requests a second at half of saturation; the times are in the note."""
    with serving() as gateway, _process(gateway.environment, "cli.app", "worker", "--index", "0"):
        viewer = sign_in(gateway, "viewer")
        authors = asyncio.run(feed_world.seed(gateway.settings, {viewer.account_id: feed_world.Follows(_FOLLOWEES)}))
        page = warm_page(gateway, viewer)
        writes = Writes(
            author_ids=authors[:_FOLLOWEES], posts_per_second=_POSTS_PER_SECOND, likes_per_post=_LIKES_PER_POST
        )
        with _process(gateway.environment, "benchmarks.feed_writes", stdin=msgspec.json.encode(writes)):
            _await_flow(gateway, viewer, page)
            return [_measure(gateway, viewer, rounds)]


def _measure(gateway: Serving, viewer: Viewer, rounds: int) -> Result:
    load = page_load(gateway, viewer)
    saturations: list[float] = []
    halves: list[Rate] = []
    for _ in range(rounds + 1):
        saturations.append(measured(load).requests_per_second)
        pace = saturations[-1] / 2
        paced = msgspec.structs.replace(
            load, per_second=pace, requests=round(pace * _SECONDS), connections=_CONNECTIONS
        )
        halves.append(measured(paced))
    saturations, halves = saturations[1:], halves[1:]  # the first round warms up
    ratios = [half.requests_per_second / full for half, full in zip(halves, saturations, strict=True)]
    return Result(
        "feed under writes, half of saturation",
        "requests/s",
        statistics.median(half.requests_per_second for half in halves),
        statistics.median(saturations),
        "saturation",
        statistics.median(ratios),
        (min(ratios), max(ratios)),
        None,
        f"p50 {_spread([half.p50_ms for half in halves])}, p99 {_spread([half.p99_ms for half in halves])}; {CARDS} "
        f"cards, {_POSTS_PER_SECOND:.0f} posts and {_POSTS_PER_SECOND * _LIKES_PER_POST:.0f} likes a second",
    )


def _spread(times_ms: list[float]) -> str:
    return f"{statistics.median(times_ms):.0f} ms ({min(times_ms):.0f}–{max(times_ms):.0f})"


def _await_flow(gateway: Serving, viewer: Viewer, page: bytes) -> None:
    """Return once what is written now is on the page."""
    seeded = {item["id"] for item in msgspec.json.decode(page)["items"]}
    give_up = time.monotonic() + _FLOW_SECONDS
    authorization = {"authorization": f"Bearer {viewer.token}"}
    with httpx.Client(base_url=gateway.address, timeout=60, headers=authorization) as client:
        while time.monotonic() < give_up:
            items = client.get("/v1/feed").raise_for_status().json()["items"]
            if not seeded & {item["id"] for item in items}:
                return
            time.sleep(0.5)
    raise RuntimeError("what was written did not come to the page")


@contextlib.contextmanager
def _process(environment: Mapping[str, str], *words: str, stdin: bytes = b"") -> Iterator[None]:
    """A process of ours that runs while the block does."""
    with tempfile.TemporaryDirectory(prefix="photolog-process-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            env=os.environ | environment | {"PHOTOLOG_HOME": folder},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            if process.stdin is not None:
                process.stdin.write(stdin)
                process.stdin.close()
            yield
        finally:
            process.terminate()
            process.wait(30)
