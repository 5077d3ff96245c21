"""Streams for analysts on the real engines: a gateway process, two workers, grants by the command line."""

import asyncio
import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.streams.log import KafkaStreamLog, StreamReader
from infra.local.home import REPOSITORY
from photolog.errors import Gone
from photolog.log.admin import TopicWanted, create_topics
from photolog.log.kafka_config import client_config
from photolog.positions import Position
from photolog.settings import Settings
from schemas import events as e
from tests.integration.gateways import read_topic
from tests.integration.workers import Hand, published, without_deployment

LIKES = 60
SECONDS = 30.0
decode = msgspec.json.decode


@dataclass(frozen=True)
class Grant:
    """A grant that the command line made."""

    id: str
    token: str


def grants(environment: Mapping[str, str], *arguments: str) -> str:
    """What `bin/photolog grants` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "cli.app", "grants", *arguments],
        cwd=REPOSITORY,
        env={**without_deployment(), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def new_grant(environment: Mapping[str, str], name: str, types: str = "all") -> Grant:
    made = json.loads(grants(environment, "create", name, "--types", types, "--expires", "1h", "--json"))
    return Grant(made["grant_id"], made["token"])


@pytest.fixture(scope="module")
def lab(migrated: dict[str, str]) -> Grant:
    return new_grant(migrated, "lab")


@pytest.fixture(scope="module")
def other_lab(migrated: dict[str, str]) -> Grant:
    return new_grant(migrated, "other lab")


class Listener:
    """One subscription that goes on from its last cursor."""

    def __init__(self, address: str, grant: Grant, types: str | None = None) -> None:
        self._url = f"{address.replace('http:', 'ws:')}/v1/streams/subscribe?"
        self._url += f"types={types}&" if types else ""
        self._headers = {"authorization": f"Bearer {grant.token}"}
        self.cursor: str | None = None

    async def begin(self) -> None:
        """Have the cursor of this moment."""
        async with self.connected() as connection:
            self.cursor = decode(await connection.recv())["cursor"]

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[ClientConnection]:
        """A connection that goes on from the last cursor. Where too many read history, of whom some may just have been
        left, it tries again, as it is told to."""
        url = self._url + (f"cursor={self.cursor}" if self.cursor else "")
        give_up = time.monotonic() + SECONDS
        while True:
            try:
                opened = await connect(url, additional_headers=self._headers, compression=None, max_queue=None)
                break
            except InvalidStatus as refused:
                if refused.response.status_code != 503 or time.monotonic() > give_up:
                    raise
                await asyncio.sleep(0.2)
        async with opened:
            yield opened

    async def events(self, connection: ClientConnection) -> AsyncIterator[dict[str, Any]]:
        """Events as they come."""
        while True:
            message = decode(await asyncio.wait_for(connection.recv(), SECONDS))
            self.cursor = message["cursor"]
            if not message["type"].startswith("stream."):
                yield message

    async def until(self, positions: set[str], at_once: int) -> list[dict[str, Any]]:
        """All events until these have come, over connections that each end after so many."""
        found: list[dict[str, Any]] = []
        left = set(positions)
        while left:
            async with self.connected() as connection:
                events = self.events(connection)
                for _ in range(at_once):
                    found.append(await anext(events))
                    left.discard(found[-1]["position"])
                    if not left:
                        break
        return found


@dataclass(frozen=True)
class Village:
    """People and what they did. `open` are the positions of what may be told of it."""

    ada: int
    bob: int
    cem: int
    dan: int
    post_id: int
    open: set[str]


async def people(hand: Hand) -> list[int]:
    """Ada, Bob and Dan; and Cem, who is private."""
    ids = [hand.ids.next() for _ in range(4)]
    landed = await hand.append(
        *(
            e.AccountCreated(account_id=one, username=f"stream_{one}", display_name=None, private=number == 3)
            for number, one in enumerate(ids)
        )
    )
    await hand.applied("accounts", landed)
    return ids


async def lived(hand: Hand) -> Village:
    """Let them live: what is hidden in the end was hidden, deleted or erased when it was to be told."""
    ada, bob, dan, cem = await people(hand)
    post_id, deleted_id = await published(hand, ada), await published(hand, ada)
    positions: set[str] = set()
    for number in range(LIKES):
        comment_id = hand.ids.next()
        open_ones = [
            e.PostShared(share_id=hand.ids.next(), actor_id=bob, post_id=post_id, channel="link"),
            e.CommentCreated(comment_id=comment_id, post_id=post_id, author_id=bob, text=f"words {number}"),
        ]
        hidden = [
            e.CommentCreated(comment_id=hand.ids.next(), post_id=post_id, author_id=who, text="w") for who in (cem, dan)
        ]
        hidden.append(
            e.CommentCreated(comment_id=hand.ids.next(), post_id=deleted_id, author_id=bob, text=f"w {number}")
        )
        positions |= {str(position) for position in await hand.append(*open_ones)}
        await hand.append(*hidden)
    gone = await hand.append(e.PostDeleted(post_id=deleted_id, owner_id=ada))
    await hand.applied("posts", gone)
    await hand.applied("accounts", await hand.append(e.AccountDeleted(account_id=dan)))
    (last,) = await hand.append(e.PostLiked(actor_id=bob, post_id=post_id))
    positions |= {str(last), *(str(position) for position in gone)}
    return Village(ada, bob, cem, dan, post_id, positions)


async def test_a_resumed_subscription_has_every_public_event_of_the_log_once_and_no_other(
    hasty_gateway: str, hand: Hand, settings: Settings, lab: Grant, other_lab: Grant
) -> None:
    listener, other = Listener(hasty_gateway, lab), Listener(hasty_gateway, other_lab)
    await listener.begin()
    await other.begin()
    village = await lived(hand)

    got = await listener.until(village.open, at_once=17)
    theirs = await other.until(village.open, at_once=1_000)
    await as_in_the_log(settings, got, village)
    assert {event["position"] for event in theirs} == {event["position"] for event in got}

    text = json.dumps(got)
    assert all(str(number) not in text for number in (village.ada, village.bob, village.cem, village.post_id))
    assert "words" not in text
    for event, again in pairs(got, theirs):
        assert event["id"] == again["id"]
        assert {name for name, value in event["data"].items() if name.endswith("_id") and value is not None} == {
            name
            for name, value in again["data"].items()
            if name.endswith("_id") and value is not None and value != event["data"][name]
        }
    authors = {event["data"]["author_id"] for event in got if event["type"] == "comment.created"}
    assert len(authors) == 1, "Bob alone; Cem is private and Dan is erased"
    assert {event["data"]["actor_id"] for event in got if event["type"] == "post.liked"} == authors


def pairs(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    by_position = {event["position"]: event for event in other}
    return [(event, by_position[event["position"]]) for event in one]


async def as_in_the_log(settings: Settings, got: list[dict[str, Any]], village: Village) -> None:
    positions = [event["position"] for event in got]
    assert len(set(positions)) == len(positions), "nothing came twice"
    held = {}
    for topic in {position.partition("/")[0] for position in positions}:
        for record in await asyncio.to_thread(read_topic, settings.kafka, topic, lambda record: True):
            place = str(Position(record.topic, record.partition, record.offset))
            held[place] = (record.header("ce_id") or b"").decode(), (record.header("ce_type") or b"").decode()
    assert [held[event["position"]] for event in got] == [(event["id"], event["type"]) for event in got]
    mine = {event["position"] for event in got if event["type"] not in ("account.created", "post.published")}
    assert mine == village.open


async def test_a_revocation_closes_what_is_open_and_opens_nothing_more(
    hasty_gateway: str, migrated: dict[str, str]
) -> None:
    grant = await asyncio.to_thread(new_grant, migrated, "short lab", "post.liked")
    listener = Listener(hasty_gateway, grant)
    async with listener.connected() as connection:
        await connection.recv()
        await asyncio.to_thread(grants, migrated, "revoke", grant.id)
        closing = decode(await asyncio.wait_for(connection.recv(), SECONDS))
        assert (closing["type"], closing["reason"]) == ("stream.closing", "grant-revoked")
        with pytest.raises(ConnectionClosed):
            await connection.recv()
    assert connection.close_code == 1008
    states = [json.loads(line) for line in grants(migrated, "list", "--json").splitlines()]
    assert [one["state"] for one in states if one["grant_id"] == grant.id] == ["grant-revoked"]
    assert grant.token not in grants(migrated, "list", "--json")


async def test_who_does_not_read_is_let_go_while_another_goes_on(hasty_gateway: str, hand: Hand, lab: Grant) -> None:
    ada, bob, _, _ = await people(hand)
    post_id = await published(hand, ada)
    quick = Listener(hasty_gateway, lab, "post.shared")
    with asking(hasty_gateway, lab) as slow:
        async with quick.connected() as connection:
            await connection.recv()
            wanted = 4_000
            shares = (
                e.PostShared(share_id=hand.ids.next(), actor_id=bob, post_id=post_id, channel="link")
                for _ in range(wanted)
            )
            await hand.append(*shares)
            got = 0
            async for _event in quick.events(connection):
                got += 1
                if got == wanted:
                    break
        assert await asyncio.wait_for(asyncio.to_thread(read_to_end, slow), SECONDS) < wanted


def asking(address: str, grant: Grant) -> socket.socket:
    """A bare WebSocket whose owner asks and does not read; what the machine takes for it is little."""
    host, _, port = address.removeprefix("http://").partition(":")
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    slow.connect((host, int(port)))
    key = base64.b64encode(os.urandom(16)).decode()
    slow.sendall(
        "GET /v1/streams/subscribe?types=post.shared HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\n"
        f"upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n"
        f"authorization: Bearer {grant.token}\r\n\r\n".encode()
    )
    assert slow.recv(16).startswith(b"HTTP/1.1 101")
    return slow


def read_to_end(slow: socket.socket) -> int:
    """How many events came before the connection ended."""
    taken = bytearray()
    while True:
        try:
            part = slow.recv(65_536)
        except ConnectionResetError:
            break
        if not part:
            break
        taken += part
    return taken.count(b'"type":"post.shared"')


async def test_what_the_log_no_longer_holds_is_an_error_to_whoever_would_read_it(settings: Settings) -> None:
    topic = "streams.trial"
    create_topics(settings.kafka, [TopicWanted(topic, -1)])
    producer = Producer(client_config(settings.kafka))
    for number in range(10):
        producer.produce(topic, str(number).encode(), partition=0)
    assert producer.flush(20) == 0
    admin = AdminClient(client_config(settings.kafka))
    for done in admin.delete_records([TopicPartition(topic, 0, 4)]).values():
        done.result(20)
    log = KafkaStreamLog(settings.kafka, 2)
    starts, ends = await log.bounds([topic])
    assert (starts[topic, 0], ends[topic, 0]) == (4, 10)
    reader, lost = log.reader({(topic, 0): 4}), log.reader({(topic, 0): 1})
    found: list[bytes | None] = []
    while len(found) < 6:
        found += [record.value for record in await reader.next()]
    assert found == [b"4", b"5", b"6", b"7", b"8", b"9"]
    with pytest.raises(Gone):
        await nothing_but_an_error(lost)
    await reader.close()
    await lost.close()
    await log.close()


async def nothing_but_an_error(reader: StreamReader) -> None:
    for _ in range(100):
        assert not await reader.next()
