"""Media is judged before it is published, on real engines: by the block-list, a plugged-in classifier, operators."""

import hashlib
import io
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import msgspec
import pytest
from PIL import Image

from cli.operator_token import minted
from infra.local.home import REPOSITORY
from photolog.client.moderation import Moderator, connect_moderator
from photolog.errors import Gone, Invalid, NotFound
from photolog.settings import Settings
from projections.media import MEDIA
from projections.posts import POSTS
from tests.integration.colour_classifier import MAGENTA, YELLOW
from tests.integration.social.conftest import Edge, Joining
from tests.integration.social.people import Person, jpeg, listed, published, settles
from tests.integration.social.test_edge import is_gone
from tests.integration.workers import Hand, WorkerProcess, eventually, without_deployment
from tests.unit.transcode.fingerprints.photographs import photograph, resized, saved

SECONDS = 600


@pytest.fixture
async def operator(gateway_address: str, settings: Settings) -> AsyncIterator[Moderator]:
    """An operator at the gateway."""
    token = minted(settings, "op", SECONDS)
    async with connect_moderator(gateway_address, token, SECONDS) as moderator:
        yield moderator


@dataclass(frozen=True)
class Console:
    """`bin/photolog moderation` at the gateway."""

    environment: dict[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Its exit and what it said."""
        command = [sys.executable, "-m", "cli.app", "moderation", *arguments]
        return subprocess.run(
            command, cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )

    def said(self, *arguments: str) -> list[dict[str, object]]:
        """Its lines with `--json`, where it succeeds."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return [msgspec.json.decode(line) for line in done.stdout.splitlines()]


@pytest.fixture
def console(gateway_address: str, migrated: dict[str, str]) -> Console:
    return Console(without_deployment() | migrated | {"PHOTOLOG_GATEWAY__PUBLIC_URL": gateway_address})


def plain(colour: tuple[int, int, int], width: int) -> bytes:
    """A picture of one colour; its width makes it one of its own."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, 300), colour).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


async def uploaded(person: Person, data: bytes) -> str:
    return await person.client.upload(data, "image/jpeg")


async def verdict(hand: Hand, media_id: str) -> str:
    """What was made of an upload, once something was."""
    found: list[str] = []

    async def is_judged() -> bool:
        row = await hand.resources.rows.get(MEDIA.key(int(media_id)))
        found[:] = [row.moderation] if row is not None else []
        return bool(found) and found[0] != "pending"

    await eventually(is_judged, seconds=30)
    return found[0]


async def status(hand: Hand, post_id: str) -> str:
    row = await hand.resources.rows.get(POSTS.key(int(post_id)))
    return "unknown" if row is None else row.status


async def test_an_upload_waits_for_its_verdict_also_where_the_worker_is_killed_with_it(
    join: Joining, hand: Hand, moderator: WorkerProcess
) -> None:
    ada = await join("ada")
    exits = len(moderator.exits)
    moderator.process.send_signal(signal.SIGSTOP)
    media_id = await uploaded(ada, jpeg(500, 400))
    post_id = await ada.client.post([media_id])

    async def is_pending() -> bool:
        row = await hand.resources.rows.get(MEDIA.key(int(media_id)))
        return row is not None and row.moderation == "pending"

    await eventually(is_pending, seconds=30)
    await hand.settled()
    assert await status(hand, post_id) == "processing"
    moderator.kill()
    await ada.client.wait_published(post_id)
    assert moderator.exits[exits] == -signal.SIGKILL
    assert await verdict(hand, media_id) == "allowed"


async def test_a_blocked_content_is_refused_whoever_uploads_it_until_it_is_unblocked(
    join: Joining, hand: Hand, operator: Moderator
) -> None:
    ada, ben = await join("ada"), await join("ben")
    data = saved(photograph("coffee.png"))
    first = await uploaded(ada, data)
    assert await verdict(hand, first) == "allowed"
    digest = (await operator.block("violence", media_id=first)).digest
    again = await uploaded(ben, data)
    assert await verdict(hand, again) == "refused"
    with pytest.raises(Invalid, match="violence") as refused:
        await ben.client.post([again])
    assert refused.value.kind == "not-allowed"
    await operator.unblock(digest)
    assert await verdict(hand, await uploaded(ben, data)) == "allowed"
    with pytest.raises(NotFound):
        await operator.unblock(digest)
    assert (await operator.block("spam", sha256=hashlib.sha256(data).hexdigest())).digest == digest
    assert await verdict(hand, await uploaded(ben, data)) == "refused"


async def test_a_takedown_removes_a_post_everywhere_and_stops_what_is_uploaded_again(
    join: Joining, hand: Hand, operator: Moderator, edge: Edge
) -> None:
    ada, ben = await join("ada"), await join("ben")
    await ben.client.follow(ada.id)
    data = saved(photograph("chelsea.png"))
    media_id = await uploaded(ada, data)
    kept = await published(ada)
    post_ids = [await ada.client.post([media_id]) for _ in range(2)]
    for post_id in post_ids:
        await ada.client.wait_published(post_id)
    address = f"/media/{media_id}/320x320/contain.webp"
    assert [await edge.status(address), await edge.status(address)] == [200, 200]

    async def feed() -> set[str]:
        return {item.id for item in (await ben.client.feed_page()).items}

    await settles(feed, {kept, *post_ids})
    done = await operator.take_down(post_ids[0], "hate", "seen by two of us")
    assert (set(done.post_ids), done.media_ids, len(done.blocked)) == (set(post_ids), [media_id], 1)
    for post_id in post_ids:
        with pytest.raises(Gone, match="hate") as gone:
            await ada.client.get_post(post_id)
        assert gone.value.kind == "post-taken-down"
        with pytest.raises(NotFound):
            await ben.client.get_post(post_id)
    for person in (ada, ben):
        assert [post.id for post in await listed(person.client.posts_of(ada.id))] == [kept]
        with pytest.raises(NotFound):
            await person.client.photograph_address(media_id, "w320.jpeg")
    await settles(feed, {kept})
    assert (await edge.alone.get(address)).status_code == 404
    await eventually(partial(is_gone, edge, address), seconds=10)
    with pytest.raises(Invalid):
        await ada.client.post([media_id])
    small = saved(resized(photograph("chelsea.png"), 700))
    for again in (data, saved(photograph("chelsea.png"), quality=70), small):
        assert await verdict(hand, await uploaded(ben, again)) == "refused"
    await operator.reinstate(media_id)
    assert await verdict(hand, await uploaded(ben, small)) == "allowed"
    await ada.client.wait_published(await ada.client.post([media_id]))


async def test_what_waits_for_an_operator_is_published_or_rejected_by_them(
    join: Joining, hand: Hand, operator: Moderator
) -> None:
    ada = await join("ada")
    media = [await uploaded(ada, plain(MAGENTA, width)) for width in (401, 402)]
    post_ids = [await ada.client.post([media_id]) for media_id in media]
    assert [await verdict(hand, media_id) for media_id in media] == ["review", "review"]
    waiting = {one.id: one for one in await listed(operator.waiting())}
    shown = waiting[media[0]]
    assert (shown.classifier, shown.reason, shown.labels) == ("colours", "it is magenta", {"synthetic": 0.75})
    assert shown.picture is not None
    async with httpx.AsyncClient() as client:
        assert (await client.get(shown.picture)).status_code == 200
    assert [await status(hand, post_id) for post_id in post_ids] == ["processing", "processing"]
    await operator.allow(media[0])
    await ada.client.wait_published(post_ids[0])
    await operator.refuse(media[1], "nudity")

    async def fate() -> str:
        return await status(hand, post_ids[1])

    await settles(fate, "rejected")
    row = await hand.resources.rows.get(POSTS.key(int(post_ids[1])))
    assert row is not None
    assert (row.rejection, row.rule) == ("not-allowed", "nudity")
    assert not {one.id async for one in operator.waiting()} & set(media)


async def test_what_a_classifier_fails_at_is_decided_on_the_command_line(
    join: Joining, hand: Hand, console: Console, moderator: WorkerProcess
) -> None:
    ada = await join("ada")
    media_id = await uploaded(ada, plain(YELLOW, 403))
    post_id = await ada.client.post([media_id])
    exits = list(moderator.exits)
    assert await verdict(hand, media_id) == "review"
    assert moderator.exits == exits

    (line,) = [one for one in console.said("queue") if one["id"] == media_id]
    assert "it hurts the eyes" in str(line["reason"])
    assert console.said("allow", media_id) == [{"media_id": media_id, "moderation": "allowed"}]
    await ada.client.wait_published(post_id)
    refused = console.run("refuse", media_id, "--rule", "spam")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "photolog: a post with it is published; take the post down\n"
    assert console.said("takedown", post_id, "--rule", "spam")[0]["media_ids"] == [media_id]


async def test_a_story_is_taken_down_everywhere_on_the_command_line(
    join: Joining, hand: Hand, console: Console, operator: Moderator
) -> None:
    ada, ben = await join("ada"), await join("ben")
    await ben.client.follow(ada.id)
    data = saved(photograph("coffee.png"), quality=80)
    media_id = await ada.client.upload(data, "image/jpeg", purpose="story")
    assert await verdict(hand, media_id) == "allowed"
    body = {"media_id": media_id, "audience": "everyone"}
    story_id = (await ada.client.transport.command("POST", "/v1/stories", dict[str, Any], body))["story_id"]

    async def shown(path: str) -> list[str]:
        return [one["id"] for one in (await ben.client.transport.query(path, dict[str, Any]))["items"]]

    async def in_tray() -> int:
        tray = await ben.client.transport.query("/v1/stories/tray", dict[str, Any])
        return sum(one["stories"] for one in tray["items"])

    await settles(lambda: shown(f"/v1/accounts/{ada.id}/stories"), [story_id])
    await settles(in_tray, 1)
    assert await ben.client.photograph_address(media_id, "w320.jpeg")
    (done,) = console.said("takedown-story", story_id, "--rule", "hate")
    assert (done["story_ids"], done["media_ids"], done["post_ids"]) == ([story_id], [media_id], [])
    with pytest.raises(Gone, match="hate") as gone:
        await ada.client.transport.query(f"/v1/stories/{story_id}", dict[str, Any])
    assert gone.value.kind == "story-taken-down"
    with pytest.raises(NotFound):
        await ben.client.transport.query(f"/v1/stories/{story_id}", dict[str, Any])
    assert (await in_tray(), await shown(f"/v1/accounts/{ada.id}/stories")) == (0, [])
    for person in (ada, ben):
        with pytest.raises(NotFound):
            await person.client.photograph_address(media_id, "w320.jpeg")
    again = await ben.client.upload(data, "image/jpeg", purpose="story")
    assert await verdict(hand, again) == "refused"
    await operator.reinstate(media_id)
