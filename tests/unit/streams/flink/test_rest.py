"""What Flink's REST interface answers, as values and errors of ours."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from photolog.errors import Conflict, StoreUnavailable
from streams.flink_cluster.rest import FlinkRest


def job(name: str, state: str, running: int = 3) -> dict[str, Any]:
    return {
        "jid": f"id-{name}-{state}", "name": name, "state": state, "start-time": 5,
        "tasks": {"total": 3, "running": running, "finished": 0},
    }  # fmt: skip


def rest(answer: Callable[[httpx.Request], httpx.Response]) -> FlinkRest:
    return FlinkRest("http://flink/", httpx.MockTransport(answer))


async def test_jobs_that_ended_are_not_among_those_that_run() -> None:
    listed = [job("one", "RUNNING"), job("one", "FAILED"), job("two", "RESTARTING", 0), job("three", "FINISHED")]
    client = rest(lambda _: httpx.Response(200, json={"jobs": listed}))
    assert [(found.name, found.is_up) for found in await client.jobs()] == [("one", True), ("two", False)]
    assert (await client.job("two")).job_id == "id-two-RESTARTING"
    with pytest.raises(Conflict, match="runs no job three"):
        await client.job("three")


@pytest.mark.parametrize("stop", [True, False])
async def test_a_savepoint_is_waited_for_and_its_place_told(stop: bool) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        if request.method == "POST":
            return httpx.Response(202, json={"request-id": "r"})
        if len(asked) < 3:
            return httpx.Response(200, json={"status": {"id": "IN_PROGRESS"}})
        return httpx.Response(200, json={"status": {"id": "COMPLETED"}, "operation": {"location": "file:/s/p"}})

    found = await rest(answer).savepoint("j", "file:///s", stop=stop, seconds=9)
    assert found == "file:///s/p"
    assert asked[0] == ("POST /jobs/j/stop" if stop else "POST /jobs/j/savepoints")
    assert set(asked[1:]) == {"GET /jobs/j/savepoints/r"}


async def test_a_savepoint_that_fails_says_why() -> None:
    failure = {"failure-cause": {"stack-trace": "java.io.IOException: disk full\n\tat here"}}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(202, json={"request-id": "r"})
        return httpx.Response(200, json={"status": {"id": "COMPLETED"}, "operation": failure})

    with pytest.raises(Conflict, match="disk full"):
        await rest(answer).savepoint("j", "file:///s", stop=False, seconds=9)


async def test_one_that_is_not_written_in_time_is_an_error() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"request-id": "r", "status": {"id": "IN_PROGRESS"}})

    with pytest.raises(StoreUnavailable, match="within 0 s"):
        await rest(answer).savepoint("j", "file:///s", stop=True, seconds=0.3)


async def test_a_cluster_that_does_not_answer_or_answers_no_json_is_away() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    for answer in (refuse, lambda _: httpx.Response(500), lambda _: httpx.Response(200, text="<html>")):
        with pytest.raises(StoreUnavailable, match="Flink"):
            await rest(answer).jobs()


async def test_checkpoints_are_told_also_where_there_are_none_yet() -> None:
    counts = {"completed": 4, "failed": 1, "restored": 2}
    latest = {"completed": {"external_path": "file:/c", "trigger_timestamp": 9}}
    found = await rest(lambda _: httpx.Response(200, json={"counts": counts, "latest": latest})).checkpoints("j")
    assert (found.completed, found.failed, found.restarts, found.latest_ms) == (4, 1, 2, 9)
    none = await rest(
        lambda _: httpx.Response(200, json={"counts": counts, "latest": {"completed": None}})
    ).checkpoints("j")
    assert (none.latest, none.latest_ms) == (None, 0)
