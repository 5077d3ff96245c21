"""Queries on the real engines: files and the log since, judged now; who went private or was erased is in no answer."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from analytics.layout import PREFIX
from analytics.sources import Span
from photolog.engines.object_store import ObjectStore
from photolog.errors import Unauthenticated
from photolog.ids import now_ms
from photolog.settings import Settings
from schemas import events as e
from tests.integration.analysts import Analyst, exported
from tests.integration.command_line import CommandLine, commands_of
from tests.integration.workers import Hand, WorkerProcess, eventually, published

TEST = "tests/integration/test_exported_query.py"
PLANTED = "a bio that nobody exports"


@pytest.fixture(scope="module")
def command(migrated: dict[str, str], workers: list[WorkerProcess]) -> CommandLine:
    assert workers
    return CommandLine(migrated)


async def person(hand: Hand) -> int:
    """Somebody with a bio."""
    account_id = hand.ids.next()
    landed = await hand.append(
        e.AccountCreated(account_id=account_id, username=f"q{account_id}", display_name=PLANTED, private=False),
        e.ProfileChanged(account_id=account_id, display_name=None, bio=PLANTED),
    )
    await hand.applied("accounts", landed)
    return account_id


async def test_a_query_sees_what_is_public_now_whatever_was_exported(
    command: CommandLine, hand: Hand, settings: Settings
) -> None:
    since, bucket = Span(since_ms=now_ms()), ObjectStore(settings.s3)
    ada, bob, cem, dan = [await person(hand) for _ in range(4)]
    post_id = await published(hand, ada)
    for who in (bob, cem, dan):
        await hand.append(
            e.PostLiked(actor_id=who, post_id=post_id),
            e.CommentCreated(comment_id=hand.ids.next(), post_id=post_id, author_id=who, text=PLANTED),
        )
    await exported(settings, e.AccountCreated, e.ProfileChanged, e.PostPublished, e.PostLiked, e.CommentCreated)
    async for keys in bucket.keys(PREFIX):
        for key in keys:
            assert PLANTED.encode() not in await bucket.get(key)

    analyst = await Analyst.hired(command, settings, since)
    who_is = {one: one for one in (ada, bob, cem, dan)}

    async def told(table: str, field: str, grant: str | None = analyst.token) -> list[Any]:
        return await analyst.told(who_is, post_id, table, field, grant)

    assert await told("post_liked", "actor_id") == [bob, cem, dan]
    hidden = await hand.append(e.PrivacyChanged(account_id=cem, private=True), e.AccountDeleted(account_id=dan))
    await hand.applied("accounts", hidden)
    await hand.append(e.PostLiked(actor_id=ada, post_id=post_id))
    assert await told("post_liked", "actor_id", analyst.grant_id) == [bob, ada]
    assert await told("comment_created", "author_id") == [bob]
    assert await told("post_published", "owner_id") == [ada]
    assert await told("post_liked", "actor_id", None) == [], "without the grant a post has another name"
    await command.run("grants", "revoke", analyst.grant_id)
    with pytest.raises(Unauthenticated):
        await told("post_liked", "actor_id")


async def test_the_commands_of_the_page_work(command: CommandLine) -> None:
    said = [await command.run(*arguments) for arguments in commands_of("docs/ANALYTICS.md", TEST)]
    assert "who likes it" in said[0]
    assert said[1].split()[0] == "likes"
    assert said[2].startswith("channel,shares\n")


async def test_a_query_that_is_interrupted_leaves_nothing(migrated: dict[str, str], tmp_path: Path) -> None:
    endless = "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b"
    process = await CommandLine(migrated | {"TMPDIR": str(tmp_path)}).start("query", endless)

    async def has_begun() -> bool:
        return "query.duckdb" in [name for _, _, names in os.walk(tmp_path) for name in names]

    await eventually(has_begun)
    process.send_signal(signal.SIGINT)
    await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, os.listdir(tmp_path)) == (130, [])
