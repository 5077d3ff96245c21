"""From what people do to the flat topics that windows of time are computed from, and from a list to what trends."""

import secrets
import subprocess
import sys
from typing import Any

import httpx
import pytest

from infra.local.home import REPOSITORY
from photolog.ids import now_ms
from photolog.settings import Settings
from projections.posts import POSTS
from schemas import events as e
from tests.integration.social.conftest import Joining
from tests.integration.social.people import published
from tests.integration.test_dead_letters import DeadLetterReader
from tests.integration.workers import Hand, WorkerProcess, eventually, without_deployment


async def test_uses_of_hashtags_and_deeds_are_told_once(
    workers: list[WorkerProcess], hand: Hand, settings: Settings, join: Joining
) -> None:
    uses, deeds = (DeadLetterReader(settings, topic) for topic in ("hashtag.uses", "post.engagement"))
    ada, ben = await join("ada"), await join("ben")
    post_id = await published(ada, "#Straße and #STRASSE at #dusk")
    await ben.client.like(post_id)
    await ben.client.like(post_id)
    await ben.client.comment(post_id, "oh")
    await ben.client.save(post_id)
    await ben.client.unlike(post_id)

    async def decoded(reader: DeadLetterReader) -> list[Any]:
        serde = hand.resources.serde
        events: list[Any] = [
            serde.open_record(serde.parse(letter.value()), lambda _: None) for letter in reader.letters
        ]
        return [event for event in events if event.post_id == int(post_id)]

    async def all_is_told() -> bool:
        uses.read()
        deeds.read()
        return len(await decoded(uses)) >= 2 and len(await decoded(deeds)) >= 4

    try:
        await eventually(all_is_told)
        await hand.settled()
        await all_is_told()
        row = await hand.resources.rows.get(POSTS.key(int(post_id)))
        assert row is not None
        assert sorted(use.hashtag for use in await decoded(uses)) == ["dusk", "strasse"]
        assert {(use.owner_id, use.at_ms, use.coarse_cell) for use in await decoded(uses)} == {
            (int(ada.id), row.published_ms, "")
        }
        told = [(deed.action, deed.actor_id, deed.owner_id) for deed in await decoded(deeds)]
        assert sorted(told) == [(action, int(ben.id), int(ada.id)) for action in ("comment", "like", "save", "unlike")]
    finally:
        uses.close()
        deeds.close()


async def test_a_list_is_shown_and_what_is_barred_on_the_command_line_is_gone(
    workers: list[WorkerProcess], hand: Hand, gateway_address: str, migrated: dict[str, str]
) -> None:
    cell = "s" + "".join(secrets.choice("bcdefghjkmnpqrstuvwxyz") for _ in range(3))
    loud, quiet = f"loud{secrets.token_hex(3)}", f"quiet{secrets.token_hex(3)}"
    end_ms = now_ms()
    ranked = e.HashtagsRanked(
        scope=cell,
        window_start_ms=end_ms - 3_600_000,
        window_end_ms=end_ms,
        hashtags=[e.RankedHashtag(hashtag=quiet, people=2), e.RankedHashtag(hashtag=loud, people=7)],
    )
    await hand.applied("trending", await hand.append(ranked))
    environment = without_deployment() | migrated | {"PHOTOLOG_GATEWAY__PUBLIC_URL": gateway_address}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "cli.app", "moderation", *arguments],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    async with httpx.AsyncClient(base_url=gateway_address, timeout=20) as client:

        async def shown() -> list[tuple[str, int]]:
            answer = (await client.get("/v1/trending", params={"scope": cell})).raise_for_status().json()
            return [(one["hashtag"], one["people"]) for one in answer["hashtags"]]

        assert await shown() == [(loud, 7), (quiet, 2)]
        assert run("bar", f"#{loud.upper()}", "--reason", "sensitive") == f"#{loud} does not trend: sensitive.\n"
        assert await shown() == [(quiet, 2)]
        assert loud in run("hashtags", "--json")
        run("unbar", loud)
        assert await shown() == [(loud, 7), (quiet, 2)]
        assert loud not in run("hashtags")


@pytest.mark.parametrize("query", ["scope=mars", "latitude=1", "limit=501"])
async def test_what_is_no_scope_is_refused(gateway_address: str, query: str) -> None:
    async with httpx.AsyncClient(base_url=gateway_address, timeout=20) as client:
        assert (await client.get(f"/v1/trending?{query}")).status_code == 422
