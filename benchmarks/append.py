"""A POST that becomes an acknowledged event, against a bare Starlette POST on the same server, authenticated alike.

Real uvicorn, Kafka, Redis and Cassandra; the load comes from another process, a bounded number of requests each round.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec

from benchmarks.gateway_process import gateway_process
from benchmarks.http_load import Load, Rate
from benchmarks.result import Result, paired
from infra.local.ports import pick_free_port_base
from infra.local.stack import Stack
from photolog.engines.cassandra_session import CassandraSession
from photolog.ids import now_ms
from photolog.settings import CassandraSettings
from projections.accounts import ACCOUNTS, AccountRow
from projections.posts import POSTS, PostRow
from projections.stores.cassandra_rows import CassandraRows
from projections.writes import Positioned, put

_REQUESTS = 2_000
_KEYED_REQUESTS = 500
_KEYED_CONNECTIONS = 8  # lightweight transactions queue in one Cassandra node; more only wait
_CONNECTIONS = 32
_AUTHOR_ID, _POST_ID = 1, 2
_PASSWORD = "a benchmark's password"


def run(rounds: int = 5) -> list[Result]:
    """Requests a second: a command alone, under an Idempotency-Key, and one that reads rows to decide."""
    with tempfile.TemporaryDirectory(prefix="photolog-append-") as folder:
        stack = Stack(Path(folder), pick_free_port_base(), engines_only=True)
        with stack:
            environment = stack.environment()
            _migrate(environment)
            asyncio.run(_seed(environment))
            with gateway_process("benchmarks.append_server", environment) as server:
                return _measure(server, rounds)


def _measure(server: str, rounds: int) -> list[Result]:
    load = _loads(server)
    bare = partial(_rate, load("/bench/bare"))
    compare = partial(_compare, opponent=bare, rounds=rounds)
    return [
        compare(
            "append",
            load("/v1/bench/append"),
            aim=0.5,
            note="authenticated, validated, sealed, acknowledged; no rows are read to decide",
        ),
        compare(
            "append, Idempotency-Key",
            load("/v1/bench/append", requests=_KEYED_REQUESTS, connections=_KEYED_CONNECTIONS, idempotency_keys=True),
            note="and a look-up and a lightweight transaction in Cassandra",
        ),
        compare(
            "append, rows read",
            load(f"/v1/posts/{_POST_ID}/comments", body={"text": "what a fine photograph"}),
            note="a comment: reads post, author and pair to decide whether it may",
        ),
    ]


def _compare(
    name: str, load: Load, *, opponent: Callable[[], float], rounds: int, note: str, aim: float | None = None
) -> Result:
    return paired(
        name,
        "requests/s",
        partial(_rate, load),
        opponent,
        opponent_name="bare Starlette POST",
        aim=aim,
        rounds=rounds,
        note=note,
    )


def _loads(server: str) -> Callable[..., Load]:
    token = _log_in(server)
    address = httpx.URL(server)

    def load(path: str, body: Mapping[str, str] | None = None, **rest: Any) -> Load:
        sent = body or {"post_id": str(_POST_ID), "text": "what a fine photograph"}
        defaults = {"requests": _REQUESTS, "connections": _CONNECTIONS, "status": 201}
        return Load(
            host=address.host,
            port=address.port or 80,
            method="POST",
            path=path,
            headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
            body=json.dumps(sent),
            **(defaults | rest),
        )

    return load


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


def _log_in(server: str) -> str:
    credentials = {"username": f"bench_{os.getpid()}", "password": _PASSWORD}
    with httpx.Client(base_url=server, timeout=30) as client:
        client.post("/v1/accounts", json=credentials).raise_for_status()
        return str(client.post("/v1/sessions", json=credentials).raise_for_status().json()["access_token"])


def _migrate(environment: Mapping[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "cli.app", "migrate"],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=180,
    )


async def _seed(environment: Mapping[str, str]) -> None:
    """A published post of somebody's, straight into the rows: no job runs here."""
    session = await CassandraSession.connect(_cassandra(environment))
    try:
        author = AccountRow(
            account_id=_AUTHOR_ID,
            username="author",
            display_name=None,
            bio=None,
            private=False,
            suspended=False,
            created_ms=now_ms(),
        )
        rows = [Positioned(put(ACCOUNTS, author), 0), Positioned(put(POSTS, _post()), 0)]
        await CassandraRows(session).apply([rows])
    finally:
        await session.close()


def _cassandra(environment: Mapping[str, str]) -> CassandraSettings:
    prefix = "PHOTOLOG_CASSANDRA__"
    given = {key.removeprefix(prefix).lower(): value for key, value in environment.items() if key.startswith(prefix)}
    return CassandraSettings.model_validate(given | {"hosts": json.loads(given["hosts"])})


def _post() -> PostRow:
    return PostRow(
        post_id=_POST_ID,
        owner_id=_AUTHOR_ID,
        status="published",
        caption=None,
        mentions=[],
        hashtags=[],
        alt_texts=[],
        location_name=None,
        location_latitude=None,
        location_longitude=None,
        audience="public",
        media_ids=[],
        media=b"[]",
        delivery="push",
        created_ms=now_ms(),
        published_ms=now_ms(),
        edited_ms=None,
        rejection=None,
    )
