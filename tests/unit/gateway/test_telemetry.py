"""Telemetry over HTTP: whole batches, sampled by the same draw every time, and nothing told of hidden posts."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from gateway.appending import encode
from gateway.endpoint import Command
from photolog.settings import TelemetrySettings
from photolog.timestamps import rfc3339
from schemas import events as e
from tests.unit.gateway.river import Person, River, person

KINDS = {"impression": "post.impressed", "dwell": "post.dwelt", "view": "post.viewed"}
SHOWN, HIDDEN, DELETED, PROCESSING, UNKNOWN = 501, 502, 503, 504, 505


@dataclass
class Setting:
    """A viewer before posts that they may see and posts that they may not."""

    river: River
    viewer: Person
    owner_id: int

    async def send(self, *events: dict[str, Any], **headers: str) -> httpx.Response:
        return await self.viewer.request("POST", "/v1/events", json={"events": list(events)}, headers=headers)

    def one(self, kind: str = "view", post_id: int = SHOWN, age_ms: int = 0, **fields: Any) -> dict[str, Any]:
        """An observation."""
        dwell = {"dwell_ms": 1_500} if kind == "dwell" else {}
        at = rfc3339(self.river.now_ms - age_ms)
        return {"type": kind, "post_id": str(post_id), "surface": "feed", "at": at, **dwell, **fields}

    def appended(self) -> list[Any]:
        """The telemetry in the log."""
        found = [self.river.recorded(offset) for offset in range(len(self.river.records))]
        return [recorded.event for recorded in found if recorded.event.capability == "telemetry"]

    def ids(self) -> list[bytes]:
        """The event ids of the telemetry in the log."""
        return [dict(record.headers)["ce_id"] for record in self.river.records if record.topic.startswith("post.")]


def _created(post_id: int, owner_id: int) -> e.PostCreated:
    return e.PostCreated(
        post_id=post_id,
        owner_id=owner_id,
        media_ids=[1],
        alt_texts=None,
        caption=None,
        mentions=None,
        location=None,
        hashtags=[],
        audience="public",
    )


@contextlib.asynccontextmanager
async def a_setting(**telemetry: Any) -> AsyncIterator[Setting]:
    river = River()
    settings = river.settings.model_copy(update={"telemetry": TelemetrySettings(**telemetry)})
    river.services = replace(river.services, settings=settings)
    async with river.client() as client:
        owner, closed, viewer = [await person(client, name) for name in ("owner", "closed", "viewer")]
        owner_id, closed_id = int(owner.account_id), int(closed.account_id)
        await closed.request("PUT", "/v1/me/privacy", json={"private": True})
        for post_id, by in ((SHOWN, owner_id), (HIDDEN, closed_id), (DELETED, owner_id), (PROCESSING, owner_id)):
            events: list[e.Event] = [_created(post_id, by)]
            if post_id != PROCESSING:
                events.append(e.PostPublished(post_id=post_id, owner_id=by, published_ms=1, delivery="push", media=[]))
            if post_id == DELETED:
                events.append(e.PostDeleted(post_id=post_id, owner_id=by))
            await river.append_all(await encode(river.services, Command(tuple(events))))
        yield Setting(river, viewer, owner_id)


async def test_each_kind_becomes_its_event() -> None:
    async with a_setting() as setting:
        answer = await setting.send(*(setting.one(kind, age_ms=1_234) for kind in KINDS))
        assert (answer.status_code, answer.json()) == (202, {"accepted": 3})
        common: dict[str, Any] = {
            "viewer_id": int(setting.viewer.account_id),
            "post_id": SHOWN,
            "owner_id": setting.owner_id,
            "surface": "feed",
            "at_ms": setting.river.now_ms - 1_234,
            "sample_rate": 1.0,
        }
        assert setting.appended() == [
            e.PostImpressed(**common),
            e.PostDwelt(**common, dwell_ms=1_500),
            e.PostViewed(**common),
        ]


async def test_what_may_not_be_seen_is_dropped_and_answered_alike() -> None:
    async with a_setting() as setting:
        seen = []
        for post_id in (SHOWN, HIDDEN, DELETED, PROCESSING, UNKNOWN, 9_999_999_999_999_999_999):
            answer = await setting.send(setting.one(post_id=post_id))
            differing = {"date", "x-request-id", "ratelimit"}
            headers = {name: value for name, value in answer.headers.items() if name not in differing}
            seen.append((answer.status_code, answer.content, headers))
        assert all(one == seen[0] for one in seen), seen
        assert [event.post_id for event in setting.appended()] == [SHOWN]


async def test_a_block_holds_for_telemetry_too() -> None:
    async with a_setting() as setting:
        await setting.send(setting.one())
        viewer_id = int(setting.viewer.account_id)
        blocked = e.AccountBlocked(blocker_id=setting.owner_id, blocked_id=viewer_id)
        await setting.river.append_all(await encode(setting.river.services, Command((blocked,))))
        setting.river.cache.flush()
        await setting.send(setting.one(age_ms=5))
        assert len(setting.appended()) == 1


async def test_the_same_observation_has_the_same_id_however_often_it_is_sent() -> None:
    async with a_setting() as setting:
        one, other = setting.one(), setting.one(age_ms=1)
        await setting.send(one, one, other)
        assert len(set(setting.ids())) == len(setting.ids()) == 2
        await setting.send(one, **{"idempotency-key": "k"})
        await setting.send(one, **{"idempotency-key": "k"})
        assert len(setting.ids()) == 4
        assert len(set(setting.ids())) == 2


async def test_a_batch_is_sampled_by_kind_and_says_at_which_rate() -> None:
    async with a_setting(impression_rate=0.25, view_rate=0) as setting:
        for batch in range(8):
            events = [setting.one(kind, age_ms=100 * batch + number) for number in range(25) for kind in KINDS]
            answer = await setting.send(*events)
            assert answer.json() == {"accepted": 75}
        kept = setting.appended()
        assert not any(isinstance(event, e.PostViewed) for event in kept)
        assert sum(isinstance(event, e.PostDwelt) for event in kept) == 200
        impressions = [event for event in kept if isinstance(event, e.PostImpressed)]
        assert {event.sample_rate for event in impressions} == {0.25}
        assert 25 <= len(impressions) <= 75, "a quarter of two hundred"
        before = set(setting.ids())
        await setting.send(*(setting.one("impression", age_ms=number) for number in range(25)))
        assert set(setting.ids()) == before, "an observation that was drawn, or was not, is so again"


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"type": "click"}, 422, "events[1].type"),
        ({"surface": "fridge"}, 422, "events[1].surface"),
        ({"post_id": "12a"}, 422, "events[1].post_id"),
        ({"post_id": ""}, 422, "events[1].post_id"),
        ({"at": "yesterday"}, 422, "events[1].at"),
        ({"at": "2026-01-01T10:00:00"}, 422, "events[1].at"),
        ({"at": "9999-12-31T23:59:59Z"}, 422, "events[1].at"),
        ({"at": "0001-01-01T00:00:00Z"}, 422, "events[1].at"),
        ({"mood": "good"}, 422, "events[1].mood"),
        ({"type": "dwell"}, 422, "events[1].dwell_ms"),
        ({"type": "dwell", "dwell_ms": 0}, 422, "events[1].dwell_ms"),
        ({"type": "dwell", "dwell_ms": 3_600_001}, 422, "events[1].dwell_ms"),
    ],
)
async def test_one_malformed_observation_refuses_the_batch_by_name(
    fields: dict[str, Any], status: int, field: str
) -> None:
    async with a_setting() as setting:
        answer = await setting.send(setting.one(), setting.one() | fields)
        assert (answer.status_code, answer.json().get("field")) == (status, field)
        assert setting.appended() == []


@pytest.mark.parametrize(("age_ms", "kind"), [(-61_000, "future-event"), (3_601_000, "old-event")])
async def test_times_are_bounded(age_ms: int, kind: str) -> None:
    async with a_setting(age_seconds_max=3_600) as setting:
        answer = await setting.send(setting.one(age_ms=age_ms))
        assert (answer.json()["type"], answer.json()["field"]) == (f"/problems/{kind}", "events[0].at")
        assert (await setting.send(setting.one(age_ms=-59_000), setting.one(age_ms=3_599_000))).status_code == 202


async def test_a_batch_is_bounded() -> None:
    async with a_setting(batch_max=3) as setting:
        events = [setting.one(age_ms=number) for number in range(4)]
        answer = await setting.send(*events)
        assert (answer.json()["type"], answer.json()["field"]) == ("/problems/too-many-events", "events")
        assert (await setting.send()).json()["field"] == "events"
        assert (await setting.send(*events[:3])).status_code == 202


async def test_a_batch_about_many_posts_costs_two_reads_of_the_cache_and_no_row() -> None:
    async with a_setting() as setting:
        await setting.send(*(setting.one(post_id=post_id) for post_id in (SHOWN, HIDDEN, UNKNOWN)))
        river, reads = setting.river, 0
        read = river.cache.read

        async def counted(*arguments: Any) -> Any:
            nonlocal reads
            reads += 1
            return await read(*arguments)

        river.cache.read = counted  # type: ignore[method-assign, assignment]
        river.rows.load = river.rows.scan = river.rows.get = None  # type: ignore[assignment, method-assign]
        before = reads
        answer = await setting.send(*(setting.one(post_id=post_id, age_ms=9) for post_id in (SHOWN, HIDDEN, UNKNOWN)))
        assert answer.status_code == 202
        assert reads - before <= 3, "one of them is for the caller's own account"
