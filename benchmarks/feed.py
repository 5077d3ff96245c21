"""A page of 20 hydrated cards, against the same server and authentication returning a ready page of that size.

Real uvicorn, Redis and Cassandra; the load comes from another process, a bounded number of requests each round. The
caches are warm, as those of somebody who looks at their feed twice a day are.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import httpx
import msgspec

from benchmarks import feed_world
from benchmarks.http_load import Load, Rate
from benchmarks.result import Result, paired
from infra.local.ports import pick_free_port_base
from infra.local.stack import Stack
from photolog.settings import Settings

_FOLLOWEES = (10, 2_000)
_CARDS = 20
_REQUESTS = 1_500
_CONNECTIONS = 16
_BOOT_SECONDS = 60.0
_PASSWORD = "a benchmark's password"
_MODULE = "benchmarks.feed_server"


class _Viewer(msgspec.Struct, frozen=True):
    account_id: int
    token: str


def run(rounds: int = 5) -> list[Result]:
    """Requests a second, for a viewer who follows ten accounts and for one who follows two thousand."""
    with tempfile.TemporaryDirectory(prefix="photolog-feed-") as folder:
        stack = Stack(Path(folder), pick_free_port_base(), engines_only=True)
        with stack:
            environment = stack.environment()
            _program(environment, "-m", "cli.app", "migrate")
            with _server(environment) as server:
                return _measure(server, environment, rounds)


def _measure(server: str, environment: Mapping[str, str], rounds: int) -> list[Result]:
    settings = _settings(environment)
    viewers = {followees: _sign_in(server, followees) for followees in _FOLLOWEES}
    asyncio.run(feed_world.seed(settings, {viewer.account_id: number for number, viewer in viewers.items()}))
    pages = {viewer.account_id: _warm_page(server, viewer) for viewer in viewers.values()}
    asyncio.run(feed_world.keep_pages(settings, pages))
    return [
        paired(
            f"feed, {followees:,} followees",
            "requests/s",
            partial(_rate, _load(server, viewer, f"/v1/feed?limit={_CARDS}")),
            partial(_rate, _load(server, viewer, "/bench/page")),
            opponent_name="a ready page after one Redis round trip",
            aim=0.4,
            rounds=rounds,
            note=f"{_CARDS} cards, {len(pages[viewer.account_id]):,} bytes",
        )
        for followees, viewer in viewers.items()
    ]


def _load(server: str, viewer: _Viewer, path: str) -> Load:
    address = httpx.URL(server)
    return Load(
        host=address.host,
        port=address.port or 80,
        method="GET",
        path=path,
        headers={"authorization": f"Bearer {viewer.token}"},
        body="",
        requests=_REQUESTS,
        connections=_CONNECTIONS,
        status=200,
    )


def _rate(load: Load) -> float:
    """One round, from a process of its own: it must not share an interpreter with anything that it measures."""
    generator = subprocess.run(
        [sys.executable, "-m", "benchmarks.http_load"],
        input=msgspec.json.encode(load),
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )
    return msgspec.json.decode(generator.stdout, type=Rate).requests_per_second


def _sign_in(server: str, followees: int) -> _Viewer:
    credentials = {"username": f"viewer_{followees}", "password": _PASSWORD}
    with httpx.Client(base_url=server, timeout=30) as client:
        account = client.post("/v1/accounts", json=credentials).raise_for_status().json()
        session = client.post("/v1/sessions", json=credentials).raise_for_status().json()
    return _Viewer(int(account["account_id"]), session["access_token"])


def _warm_page(server: str, viewer: _Viewer) -> bytes:
    """Look twice: the first look fills the timeline and the caches, the second is what is measured."""
    with httpx.Client(base_url=server, timeout=60, headers={"authorization": f"Bearer {viewer.token}"}) as client:
        for _ in range(2):
            answer = client.get("/v1/feed", params={"limit": _CARDS}).raise_for_status()
    if len(answer.json()["items"]) != _CARDS:
        raise RuntimeError(f"the page has {len(answer.json()['items'])} cards, not {_CARDS}")
    return answer.content


def _program(environment: Mapping[str, str], *words: str) -> None:
    command = [sys.executable, *words]
    subprocess.run(command, env=os.environ | environment, stdout=subprocess.DEVNULL, check=True, timeout=180)


@contextlib.contextmanager
def _server(environment: Mapping[str, str]) -> Iterator[str]:
    """The gateway's address, served by a process of its own."""
    address = f"http://{environment['PHOTOLOG_GATEWAY__HOST']}:{environment['PHOTOLOG_GATEWAY__PORT']}"
    # Each request's log line is written as in production, but not kept.
    server = subprocess.Popen([sys.executable, "-m", _MODULE], env=os.environ | environment, stderr=subprocess.DEVNULL)
    try:
        _await(address, server)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def _await(address: str, server: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + _BOOT_SECONDS
    while time.monotonic() < give_up and server.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{address}/readyz", timeout=5).is_success:
                return
        time.sleep(0.2)
    raise RuntimeError("the benchmark's gateway did not start")


def _settings(environment: Mapping[str, str]) -> Settings:
    """The stack's settings, read as every process reads them, without leaving them in this one's environment."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        return Settings()  # type: ignore[call-arg]  # the environment fills the groups
    finally:
        os.environ.clear()
        os.environ.update(before)
