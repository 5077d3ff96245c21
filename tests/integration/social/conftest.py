"""People on the real platform: a gateway, an edge and a transcode worker beside the two Faust workers, and a client for
each person.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from infra.local.ports import pick_free_port_base
from tests.integration.social.people import Person, joining
from tests.integration.workers import PATIENCE_SECONDS, WorkerProcess, wait_serving

Joining = Callable[..., Awaitable[Person]]


@dataclass(frozen=True)
class Edge:
    """An edge of its own behind the stack's Varnish, with the worker that purges."""

    process: WorkerProcess
    alone: httpx.AsyncClient
    cached: httpx.AsyncClient

    def answered(self) -> float:
        """How many pictures and files it answered by itself."""
        return self.process.shown("photolog_edge_answers_total")

    async def status(self, path: str) -> int:
        """Of an address, through Varnish."""
        return (await self.cached.get(path)).status_code


@pytest.fixture(scope="session")
def gateway_address(
    workers: list[WorkerProcess],
    transcoder: WorkerProcess,
    migrated: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """A gateway on the stack's engines, whose events the workers fold."""
    assert workers
    assert transcoder
    folder = tmp_path_factory.mktemp("gateway")
    # Not the stack's own port: a whole application may be tried over the same engines while this gateway serves.
    port = pick_free_port_base()
    address = f"http://127.0.0.1:{port}"
    edge_port = pick_free_port_base()
    edge = f"http://127.0.0.1:{edge_port}"
    environment = migrated | {
        "PHOTOLOG_GATEWAY__PORT": str(port),
        "PHOTOLOG_GATEWAY__PUBLIC_URL": address,
        "PHOTOLOG_EDGE__PORT": str(edge_port),
        "PHOTOLOG_EDGE__PUBLIC_URL": edge,
    }
    started = [WorkerProcess((command,), environment, folder / f"{command}.log") for command in ("gateway", "edge")]
    try:
        for process in started:
            process.wait_ready()
        wait_serving(address)
        wait_serving(edge)
        yield address
    finally:
        for process in started:
            process.end()


@pytest.fixture
async def join(gateway_address: str) -> AsyncIterator[Joining]:
    """Signs a new person up and in."""
    async with joining(gateway_address) as join:
        yield join


@pytest.fixture(scope="module")
def edge_process(
    gateway_address: str, migrated: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WorkerProcess]:
    assert gateway_address
    folder = tmp_path_factory.mktemp("edge")
    if migrated["PHOTOLOG_EDGE__CACHES"] == "[]":
        pytest.skip("this machine has no Varnish, and it could not be installed")
    started = [WorkerProcess((command,), migrated, folder / f"{command}.log") for command in ("edge", "purge-worker")]
    try:
        for process in started:
            process.wait_ready()
        wait_serving(f"http://127.0.0.1:{migrated['PHOTOLOG_EDGE__PORT']}")
        yield started[0]
    finally:
        for process in started:
            process.end()


@pytest.fixture
async def edge(edge_process: WorkerProcess, migrated: dict[str, str]) -> AsyncIterator[Edge]:
    port, varnish = migrated["PHOTOLOG_EDGE__PORT"], migrated["PHOTOLOG_EDGE__PUBLIC_URL"]
    crowd = httpx.Limits(max_connections=1_000)
    async with (
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as alone,
        httpx.AsyncClient(base_url=varnish, timeout=PATIENCE_SECONDS, limits=crowd) as cached,
    ):
        yield Edge(edge_process, alone, cached)
