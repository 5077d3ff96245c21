"""Streams as clients get them: over real sockets, with the server and the client library that anybody uses."""

import asyncio
import base64
import os
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
import zstandard
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.streams import wire
from schemas import events as e
from tests.unit.gateway.river import person
from tests.unit.gateway.streams.scene import Scene

decode = msgspec.json.decode


async def scene_with_post(**streams: Any) -> tuple[Scene, int, int]:
    scene = Scene(**streams)
    ada, bob = await scene.person(), await scene.person()
    return scene, bob, await scene.post(ada)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_a_websocket_gets_each_event_as_a_message() -> None:
    scene, bob, post_id = await scene_with_post()
    _, token = await scene.grant_with_token()
    async with (
        scene.served() as address,
        connect(f"ws://{address}/v1/streams/subscribe?types=post.liked", additional_headers=bearer(token)) as socket,
    ):
        first = decode(await socket.recv())
        await scene.happen(e.PostLiked(actor_id=bob, post_id=post_id))
        event = decode(await socket.recv())
    assert first["type"] == "stream.heartbeat"
    assert event.keys() == {"type", "id", "at", "position", "cursor", "data"}
    assert event["type"] == "post.liked"
    assert event["cursor"] != first["cursor"]
    assert event["data"].keys() == {"actor_id", "post_id"}


async def test_compressed_it_gets_zstandard_frames_of_lines() -> None:
    scene, _, _ = await scene_with_post()
    _, token = await scene.grant_with_token()
    async with (
        scene.served() as address,
        connect(
            f"ws://{address}/v1/streams/subscribe?cursor=earliest&compress=zstd", additional_headers=bearer(token)
        ) as socket,
    ):
        message = await socket.recv()
    assert isinstance(message, bytes)
    lines = zstandard.ZstdDecompressor().decompress(message).splitlines()
    assert [decode(line)["type"] for line in lines][:2] == ["account.created", "account.created"]


@pytest.mark.parametrize("query", ["", "&compress=zstd"])
async def test_server_sent_events_go_on_from_the_last_id(query: str) -> None:
    scene, bob, post_id = await scene_with_post()
    _, token = await scene.grant_with_token()
    async with scene.served() as address, httpx.AsyncClient(headers=bearer(token), timeout=10) as client:
        path = f"http://{address}/v1/streams/events?cursor=earliest{query}"
        async with client.stream("GET", path) as answer:
            assert answer.headers["content-type"] == "text/event-stream"
            assert answer.headers["cache-control"] == "no-store"
            lines = answer.aiter_lines()
            whole = [await anext_event(lines) for _ in range(3)]
        async with client.stream("GET", path, headers={"last-event-id": whole[1]["id"]}) as answer:
            lines = answer.aiter_lines()
            assert await anext_event(lines) == whole[2]
            await scene.happen(e.PostLiked(actor_id=bob, post_id=post_id))
            liked = await anext_event(lines)
    assert decode(liked["data"])["type"] == "post.liked"
    assert decode(liked["data"])["cursor"] == liked["id"]


async def anext_event(lines: Any) -> dict[str, str]:
    """The next server-sent event that has data."""
    fields: dict[str, str] = {}
    while True:
        line = await anext(lines)
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields and fields.get("event") != "heartbeat":
            return fields
        else:
            fields = {}


async def test_the_websockets_address_gives_server_sent_events_where_these_are_accepted() -> None:
    scene, _, _ = await scene_with_post()
    _, token = await scene.grant_with_token()
    async with scene.served() as address, httpx.AsyncClient(headers=bearer(token), timeout=10) as client:
        path = f"http://{address}/v1/streams/subscribe?cursor=earliest"
        async with client.stream("GET", path, headers={"accept": "text/event-stream"}) as answer:
            assert decode((await anext_event(answer.aiter_lines()))["data"])["type"] == "account.created"
        refused = await client.get(path)
    assert (refused.status_code, refused.json()["type"]) == (426, "/problems/upgrade-required")
    assert refused.headers["upgrade"] == "websocket"


async def test_what_may_not_be_subscribed_is_a_problem_before_the_upgrade() -> None:
    scene, _, _ = await scene_with_post()
    grant, token = await scene.grant_with_token("post.liked")
    async with scene.served() as address:
        url = f"ws://{address}/v1/streams/subscribe"
        async with httpx.AsyncClient(base_url=f"http://{address}") as client:
            ada = await person(client, "ada")
        account, operator = ada.authorization, scene.river.services.tokens.for_operator("op", 600)
        garbage = base64.urlsafe_b64encode(os.urandom(60)).decode()
        for headers, query, status, kind in (
            ({}, "", 401, "unauthenticated"),
            (account, "", 401, "invalid-token"),
            (bearer(operator), "", 401, "invalid-token"),
            (bearer("x" * 2_000), "", 401, "invalid-token"),
            (bearer(token), "?types=post.published", 403, "not-granted"),
            (bearer(token), "?types=post.saved", 422, "unknown-event-type"),
            (bearer(token), "?sample=2", 422, "invalid-query"),
            (bearer(token), "?sample=nan", 422, "invalid-query"),
            (bearer(token), "?colour=red", 422, "invalid-query"),
            (bearer(token), f"?cursor={garbage}", 400, "malformed-cursor"),
        ):
            with pytest.raises(InvalidStatus) as refused:
                async with connect(url + query, additional_headers=headers):
                    pass
            answer = refused.value.response
            assert answer.body is not None
            problem = decode(answer.body)
            assert (answer.status_code, problem["type"]) == (status, f"/problems/{kind}"), query
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["x-request-id"] == problem["correlation_id"]
        await scene.desk.grants.revoke(grant.grant_id)
        with pytest.raises(InvalidStatus) as refused:
            async with connect(url, additional_headers=bearer(token)):
                pass
        assert refused.value.response.status_code == 401


async def test_a_grants_token_opens_nothing_else() -> None:
    scene, _, _ = await scene_with_post()
    _, token = await scene.grant_with_token()
    async with scene.served() as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        for path in ("/v1/me", "/v1/feed", "/v1/positions", "/v1/operator/reports"):
            answer = await client.get(path, headers=bearer(token))
            assert (answer.status_code, answer.json()["type"]) == (401, "/problems/invalid-token"), path


async def closed_with(socket: Any) -> tuple[int, str, dict[str, Any]]:
    """Code and reason of a close, and what was said before it."""
    messages = [{}] + [decode(message) async for message in _until_closed(socket)]
    return socket.close_code, socket.close_reason, messages[-1]


async def _until_closed(socket: Any) -> AsyncIterator[Any]:
    while True:
        try:
            message = await asyncio.wait_for(socket.recv(), 10)
        except ConnectionClosed:
            return
        yield message


async def test_a_revocation_closes_within_seconds_and_says_why() -> None:
    scene, _, _ = await scene_with_post(look_seconds=0.1)
    grant, token = await scene.grant_with_token()
    async with (
        scene.served() as address,
        connect(f"ws://{address}/v1/streams/subscribe", additional_headers=bearer(token)) as socket,
        httpx.AsyncClient(headers=bearer(token), timeout=10) as client,
        client.stream("GET", f"http://{address}/v1/streams/events?compress=zstd") as answer,
    ):
        lines = answer.aiter_lines()
        await scene.desk.grants.revoke(grant.grant_id)
        code, reason, said = await closed_with(socket)
        closing = await anext_event(lines)
        assert [line async for line in lines] == [], "the answer ends"
    assert (code, reason) == (1008, "grant-revoked")
    assert (said["type"], said["reason"]) == ("stream.closing", "grant-revoked")
    assert (closing["event"], decode(closing["data"])["reason"]) == ("closing", "grant-revoked")


async def test_a_subscriber_that_talks_is_let_go() -> None:
    scene, _, _ = await scene_with_post()
    _, token = await scene.grant_with_token()
    async with scene.served() as address:
        url = f"ws://{address}/v1/streams/subscribe"
        async with connect(url, additional_headers=bearer(token)) as socket:
            await socket.send("hello?")
            assert (await closed_with(socket))[:2] == (1008, "unexpected-message")
        async with connect(url, additional_headers=bearer(token)) as socket:
            await socket.send("x" * 5_000)
            assert (await closed_with(socket))[0] == 1009


async def test_whoever_leaves_is_forgotten() -> None:
    scene, _, _ = await scene_with_post()
    _, token = await scene.grant_with_token()
    async with scene.served() as address:
        url = f"ws://{address}/v1/streams/subscribe"
        async with connect(url, additional_headers=bearer(token)) as socket:
            await socket.recv()
            assert len(scene.desk._open) == 1
        for _ in range(200):
            if not scene.desk._open and not scene.log.open_readers:
                break
            await asyncio.sleep(0.02)
        assert not scene.desk._open
        assert scene.log.open_readers == 0


async def test_who_does_not_read_is_cut_off_and_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow one is a bare socket that asks and never reads; its receive buffer is small."""
    monkeypatch.setattr(wire, "LISTEN_SECONDS_MAX", 0.5)
    scene, bob, post_id = await scene_with_post(waiting_bytes_max=8_192)
    _, token = await scene.grant_with_token("comment.created")
    async with (
        scene.served() as address,
        connect(f"ws://{address}/v1/streams/subscribe", additional_headers=bearer(token)) as quick,
    ):
        await quick.recv()
        host, _, port = address.partition(":")
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
            slow.connect((host, int(port)))
            slow.sendall(
                b"GET /v1/streams/subscribe HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
                b"sec-websocket-version: 13\r\nsec-websocket-key: "
                + base64.b64encode(b"k" * 16)
                + f"\r\nauthorization: Bearer {token}\r\n\r\n".encode()
            )
            for _ in range(500):
                if len(scene.desk._open) == 2:
                    break
                await asyncio.sleep(0.01)
            got = 0
            while len(scene.desk._open) == 2 and got < 40_000:
                await asyncio.gather(*(scene.comment(post_id, bob) for _ in range(20)))
                for _ in range(20):
                    assert decode(await quick.recv())["type"] == "comment.created"
                    got += 1
        assert len(scene.desk._open) == 1
        await scene.comment(post_id, bob)
        assert decode(await quick.recv())["type"] == "comment.created"


async def test_a_process_that_goes_lets_everybody_go() -> None:
    scene, _, _ = await scene_with_post()
    _, token = await scene.grant_with_token()
    async with httpx.AsyncClient(headers=bearer(token), timeout=10) as client:
        async with scene.served() as address:
            socket = await connect(f"ws://{address}/v1/streams/subscribe", additional_headers=bearer(token))
            request = client.build_request("GET", f"http://{address}/v1/streams/events")
            answer = await client.send(request, stream=True)
            await socket.recv()
        assert decode((await anext_event(answer.aiter_lines()))["data"])["reason"] == "shutdown"
        await answer.aclose()
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code in (1001, 1012)
