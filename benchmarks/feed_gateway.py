"""A gateway over engines of its own, people who are signed in there, their pages: what the feed benchmarks share."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec

from benchmarks.gateway_process import gateway_process
from benchmarks.http_load import Load, Rate
from infra.local.ports import pick_free_port_base
from infra.local.stack import Stack
from photolog.settings import Settings

CARDS = 20
_REQUESTS = 1_500
_CONNECTIONS = 16
_PASSWORD = "a benchmark's password"
_MODULE = "benchmarks.feed_server"


class Viewer(msgspec.Struct, frozen=True):
    account_id: int
    token: str


@dataclass(frozen=True, slots=True)
class Serving:
    """A running gateway.

    Args:
        address: where it answers.
        environment: the keys that its processes run with.
        settings: the same, read.
    """

    address: str
    environment: Mapping[str, str]
    settings: Settings


@contextlib.contextmanager
def serving(module: str = _MODULE) -> Iterator[Serving]:
    """Engines, what `migrate` makes, and the gateway in a process of its own, which this module runs."""
    with tempfile.TemporaryDirectory(prefix="photolog-feed-") as folder:
        stack = Stack(Path(folder), pick_free_port_base(), engines_only=True)
        with stack:
            environment = stack.environment()
            command = [sys.executable, "-m", "cli.app", "migrate"]
            subprocess.run(command, env=os.environ | environment, stdout=subprocess.DEVNULL, check=True, timeout=180)
            with gateway_process(module, environment) as address:
                yield Serving(address, environment, stack_settings(environment))


def page_load(
    serving: Serving, viewer: Viewer, path: str = f"/v1/feed?limit={CARDS}", requests: int = _REQUESTS
) -> Load:
    """As many pages as a round has, as fast as they come."""
    address = httpx.URL(serving.address)
    return Load(
        host=address.host,
        port=address.port or 80,
        method="GET",
        path=path,
        headers={"authorization": f"Bearer {viewer.token}"},
        body="",
        requests=requests,
        connections=_CONNECTIONS,
        status=200,
    )


def measured(load: Load) -> Rate:
    """One round, from a process of its own: it must not share an interpreter with anything that it measures."""
    generator = subprocess.run(
        [sys.executable, "-m", "benchmarks.http_load"],
        input=msgspec.json.encode(load),
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )
    return msgspec.json.decode(generator.stdout, type=Rate)


def rate(load: Load) -> float:
    """Requests a second of one round."""
    return measured(load).requests_per_second


def sign_in(serving: Serving, username: str) -> Viewer:
    """Somebody new with a session."""
    credentials = {"username": username, "password": _PASSWORD}
    with httpx.Client(base_url=serving.address, timeout=30) as client:
        account = client.post("/v1/accounts", json=credentials).raise_for_status().json()
        session = client.post("/v1/sessions", json=credentials).raise_for_status().json()
    return Viewer(int(account["account_id"]), session["access_token"])


def warm_page(serving: Serving, viewer: Viewer) -> bytes:
    """Look until the page is complete: the first look fills the timeline and the caches, the last is what is measured.

    Raises:
        RuntimeError: it is no full page.
    """
    authorization = {"authorization": f"Bearer {viewer.token}"}
    with httpx.Client(base_url=serving.address, timeout=60, headers=authorization) as client:
        for _ in range(20):
            answer = client.get("/v1/feed", params={"limit": CARDS}).raise_for_status()
            if not answer.json()["degraded"]:
                break
            time.sleep(0.5)
        answer = client.get("/v1/feed", params={"limit": CARDS}).raise_for_status()
    if len(answer.json()["items"]) != CARDS or answer.json()["degraded"]:
        raise RuntimeError(f"the page has {len(answer.json()['items'])} cards, not {CARDS}")
    return answer.content


def stack_settings(environment: Mapping[str, str]) -> Settings:
    """The stack's settings, read as every process reads them, without leaving them in this one's environment."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        return Settings()  # type: ignore[call-arg]  # the environment fills the groups
    finally:
        os.environ.clear()
        os.environ.update(before)
