"""A Flink cluster's REST interface (Flink 2.3 documentation, "REST API"), as far as we need it."""

import asyncio
import re
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, Self

import httpx
import msgspec

from photolog.errors import Conflict, StoreUnavailable

_TIMEOUT_SECONDS = 10.0
_POLL_SECONDS = 0.2
_ENDED = frozenset({"FINISHED", "CANCELED", "FAILED"})
State = Literal[
    "INITIALIZING", "CREATED", "RUNNING", "FAILING", "FAILED", "CANCELLING", "CANCELED", "FINISHED", "RESTARTING",
    "SUSPENDED", "RECONCILING",
]  # fmt: skip


class RunningJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job as its cluster shows it.

    Args:
        name: its name.
        job_id: what the cluster calls it; another one after each submission.
        state: in Flink's words.
        started_ms: when it was submitted, Unix ms.
        tasks: how many parts of it there are, and how many of them run.
    """

    name: str
    job_id: str
    state: State
    started_ms: int
    tasks: int
    tasks_running: int

    @property
    def is_up(self) -> bool:
        """Whether every part of it runs."""
        return self.state == "RUNNING" and self.tasks_running == self.tasks


class Checkpoints(msgspec.Struct, frozen=True, kw_only=True):
    """How a job's checkpoints went.

    Args:
        completed: how many, since the job was submitted.
        failed: likewise.
        restarts: how often the job went on from one.
        latest: where the newest one is; None where there is none yet.
        latest_ms: when it was triggered, Unix ms; 0 for never.
    """

    completed: int
    failed: int
    restarts: int
    latest: str | None
    latest_ms: int


class FlinkRest:
    """The client.

    Args:
        url: base of the interface.
        transport: what carries requests; the network where none is given.
    """

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(base_url=url.rstrip("/"), timeout=_TIMEOUT_SECONDS, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def jobs(self) -> list[RunningJob]:
        """Those that have not ended. Raises StoreUnavailable."""
        answer = await self._ask("GET", "/jobs/overview")
        return [_job(one) for one in answer["jobs"] if one["state"] not in _ENDED]

    async def job(self, name: str) -> RunningJob:
        """The one of a name.

        Raises:
            Conflict: none is running.
            StoreUnavailable: the cluster does not answer.
        """
        found = next((job for job in await self.jobs() if job.name == name), None)
        if found is None:
            raise Conflict("not-running", f"the cluster runs no job {name}")
        return found

    async def checkpoints(self, job_id: str) -> Checkpoints:
        """How a job's checkpoints went. Raises StoreUnavailable."""
        answer = await self._ask("GET", f"/jobs/{job_id}/checkpoints")
        latest = answer["latest"]["completed"] or {}
        return Checkpoints(
            completed=answer["counts"]["completed"],
            failed=answer["counts"]["failed"],
            restarts=answer["counts"]["restored"],
            latest=latest.get("external_path"),
            latest_ms=latest.get("trigger_timestamp", 0),
        )

    async def savepoint(self, job_id: str, folder: str, *, stop: bool, seconds: float) -> str:
        """Write a savepoint.

        Args:
            job_id: of which job.
            folder: where to.
            stop: whether the job ends with it: nothing is computed behind it.
            seconds: how long to wait for it.

        Returns:
            Where it is.

        Raises:
            Conflict: it was not written; the job goes on.
            StoreUnavailable: the cluster does not answer, or is not done in time.
        """
        if stop:
            asked = await self._ask("POST", f"/jobs/{job_id}/stop", {"targetDirectory": folder, "drain": False})
        else:
            asked = await self._ask(
                "POST", f"/jobs/{job_id}/savepoints", {"target-directory": folder, "cancel-job": False}
            )
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = await self._ask("GET", f"/jobs/{job_id}/savepoints/{asked['request-id']}")
            if answer["status"]["id"] == "COMPLETED":
                return _location(answer["operation"])
            await asyncio.sleep(_POLL_SECONDS)
        raise StoreUnavailable(f"the savepoint was not written within {seconds:.0f} s")

    async def cancel(self, job_id: str) -> None:
        """End a job; its checkpoints stay. Raises StoreUnavailable."""
        await self._ask("PATCH", f"/jobs/{job_id}?mode=cancel")

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        try:
            answer = await self._client.request(method, path, json=body)
            answer.raise_for_status()
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise StoreUnavailable(f"Flink: {error!r}") from error


def _job(answer: Any) -> RunningJob:
    tasks = answer["tasks"]
    return RunningJob(
        name=answer["name"],
        job_id=answer["jid"],
        state=answer["state"],
        started_ms=answer["start-time"],
        tasks=tasks["total"],
        tasks_running=tasks["running"] + tasks["finished"],
    )


def _location(operation: Any) -> str:
    if "location" in operation:
        # Flink leaves out the empty host of a file's address.
        return re.sub("^file:/(?!/)", "file:///", operation["location"])
    cause = operation.get("failure-cause", {}).get("stack-trace", "no reason given")
    raise Conflict("no-savepoint", cause.strip().splitlines()[0])
