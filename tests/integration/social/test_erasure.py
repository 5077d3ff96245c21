"""An account leaves the real platform: gone at once, erased a little later, and nowhere to be found after that."""

import asyncio
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from analytics.sources import Span
from infra.local.home import REPOSITORY
from photolog.errors import Conflict, NotFound, Unauthenticated
from photolog.ids import now_ms
from photolog.receipts import verify_receipt
from photolog.settings import Settings
from schemas import events as e
from tests.integration.analysts import Analyst, exported
from tests.integration.command_line import CommandLine
from tests.integration.social.conftest import Joining
from tests.integration.social.people import PASSWORD, Person, jpeg, published, settles
from tests.integration.workers import WorkerProcess, eventually, without_deployment

WORD = "canary-4711"
ERASED_SECONDS = 120.0


@pytest.fixture(scope="module")
def leaving_worker(migrated: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """The process that erases. It waits out commands of some seconds: no gateway of these tests takes as long."""
    environment = migrated | {
        "PHOTOLOG_KAFKA__APPEND_TIMEOUT_MS": "1000",
        "PHOTOLOG_GATEWAY__POSITION_WAIT_MS": "0",
        "PHOTOLOG_GATEWAY__REQUEST_SECONDS": "3",
        "PHOTOLOG_LIMITS__SESSION_CACHE_SECONDS": "1",
    }
    log = tmp_path_factory.mktemp("leaving") / "leaving-worker.log"
    worker = WorkerProcess(("leaving-worker",), environment, log)
    try:
        worker.wait_ready()
        yield worker
    finally:
        worker.end()


async def scanned(environment: dict[str, str], account_id: str, *words: str) -> tuple[int, dict[str, Any]]:
    """What `bin/photolog erasure-scan` says."""

    def run() -> subprocess.CompletedProcess[str]:
        told = [argument for word in words for argument in ("--word", word)]
        return subprocess.run(
            [sys.executable, "-m", "cli.app", "erasure-scan", account_id, "--json", *told],
            cwd=REPOSITORY,
            env={**without_deployment(), **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    done = await asyncio.to_thread(run)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def left_in(report: dict[str, Any]) -> set[str]:
    return {place["place"] for place in report["places"] if place["left"]}


async def one_of_everything(ada: Person, bob: Person, carl: Person) -> tuple[str, str]:
    """Everything that ada can do; a post of hers and one of bob's."""
    own, theirs = await asyncio.gather(published(ada, f"{WORD} #light"), published(bob, "his"))
    await bob.client.follow(ada.id)
    await ada.client.follow(bob.id)
    await ada.client.follow(carl.id)
    await ada.client.mute(carl.id)
    await ada.client.like(theirs)
    await carl.client.like(theirs)
    await ada.client.comment(theirs, f"{WORD} lovely")
    await carl.client.comment(theirs, "indeed")
    await bob.client.comment(own, "nice")
    body = {"content_type": "image/jpeg", "size_bytes": len(jpeg()), "client_upload_id": "left open"}
    await ada.client.transport.command("POST", "/v1/uploads", dict, body)
    return own, theirs


async def test_an_account_leaves_and_nothing_of_it_is_left(
    join: Joining,
    gateway_address: str,
    migrated: dict[str, str],
    settings: Settings,
    leaving_worker: WorkerProcess,
) -> None:
    analyst = await Analyst.hired(CommandLine(migrated), settings, Span(since_ms=now_ms()))
    ada, bob, carl = await join("ada"), await join("bob"), await join("carl", private=True)
    own, theirs = await one_of_everything(ada, bob, carl)
    await settles(lambda: _counts(bob, theirs), (2, 2))
    status, report = await scanned(migrated, ada.id, WORD)
    assert status == 1
    address = await own_export(ada, own)
    await exported(settings, e.PostPublished, e.PostLiked, e.CommentCreated)
    people = {int(ada.id): "ada", int(bob.id): "bob"}
    assert await analyst.told(people, int(theirs), "post_liked", "actor_id") == ["ada"], "carl is private"
    assert await analyst.told(people, int(own), "post_published", "owner_id") == ["ada"]
    assert {"log/posts", "log/comments", "rows/posts", "rows/likes", "rows/follow_requests", "contents"} <= left_in(
        report
    )
    assert {"vault.subject_keys", "vault.sessions", "vault.usernames", "vault.uploads", "caches"} <= left_in(report)

    token = ada.client.transport.access_token
    leaving = await ada.client.leave(PASSWORD)
    for gone in (f"/v1/accounts/{ada.id}", f"/v1/posts/{own}", f"/v1/accounts/by-username/{ada.username}"):
        with pytest.raises(NotFound):
            await bob.client.transport.query(gone, dict)
    with pytest.raises(Unauthenticated):
        await ada.client.log_in(ada.username, PASSWORD)
    async with httpx.AsyncClient(base_url=gateway_address) as anyone:
        refused = await anyone.get("/v1/me", headers={"authorization": f"Bearer {token}"})
        assert refused.status_code == 401

        async def finished() -> bool:
            return bool((await anyone.get(leaving.erasure)).json()["state"] == "finished")

        await eventually(finished, ERASED_SECONDS)
        assert (await anyone.get(address)).status_code == 404, "the export is gone with the account"
        signed = (await anyone.get(leaving.erasure)).json()["receipt"]
        (public,) = (await anyone.get("/v1/erasures/keys")).json()["keys"]
    receipt = verify_receipt(public, signed)
    assert receipt.account_id == ada.id
    assert receipt.removed["events.post.deleted"] == 1
    assert receipt.removed["contents"] == 1
    # bob's photograph was the same file.
    shown = (await bob.client.get_post(theirs)).photographs[0].id
    async with httpx.AsyncClient() as edge:
        assert (await edge.get(await bob.client.photograph_address(shown, "w640.jpeg"))).status_code == 200

    # What was exported before is judged by what is there now; nor does another export bring anything back.
    await bob.client.like(theirs)
    await exported(settings, e.PostPublished, e.PostLiked, e.CommentCreated)
    assert await analyst.told(people, int(theirs), "post_liked", "actor_id") == ["bob"]
    assert await analyst.told(people, int(theirs), "comment_created", "author_id") == []
    assert await analyst.told(people, int(own), "post_published", "owner_id") == []

    assert await _counts(bob, theirs) == (2, 1)
    counts = (await bob.client.transport.query("/v1/me", dict))["counts"]
    assert (counts["followers"], counts["following"]) == (0, 0)
    status, report = await scanned(migrated, ada.id, WORD, ada.username)
    assert left_in(report) == set()
    assert (status, report["clean"], report["marked"]) == (0, True, True)
    with pytest.raises(Conflict):
        await join_as(bob, ada.username)


async def own_export(person: Person, post_id: str) -> str:
    """Let a person fetch an export, and look into it; its signed address."""
    asked = await person.client.transport.command("POST", "/v1/me/export", dict)
    path = f"/v1/me/exports/{asked['export_id']}"

    async def ready() -> bool:
        return bool((await person.client.transport.query(path, dict))["state"] == "ready")

    await eventually(ready)
    address = str((await person.client.transport.query(path, dict))["url"])
    async with httpx.AsyncClient(timeout=30) as store:
        archive = zipfile.ZipFile(io.BytesIO((await store.get(address)).content))
    assert archive.testzip() is None
    assert [post["post_id"] for post in json.loads(archive.read("posts.json"))] == [post_id]
    assert [comment["text"] for comment in json.loads(archive.read("comments.json"))] == [f"{WORD} lovely"]
    media = [name for name in archive.namelist() if name.startswith("media/")]
    assert len(media) == 8, "an original and seven variants"
    assert len(json.loads(archive.read("manifest.json"))["files"]) == len(archive.namelist()) - 1
    return address


async def _counts(person: Person, post_id: str) -> tuple[int, int]:
    counts = (await person.client.get_post(post_id)).counts
    return counts.likes, counts.comments


async def join_as(person: Person, username: str) -> None:
    """Try to take a user name."""
    body = {"username": username, "password": PASSWORD}
    await person.client.transport.send("POST", "/v1/accounts", body=body, bearer=False)
