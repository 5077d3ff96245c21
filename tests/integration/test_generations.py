"""Read models folded again while people act and processes die, compared, shown, and taken back."""

import asyncio
import contextlib
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import RedisError

from infra.local.home import REPOSITORY
from infra.local.stack import Stack
from photolog.errors import Conflict
from photolog.ids import now_ms
from photolog.settings import Settings
from projections.catalogue import PROJECTIONS
from projections.generations import FIRST, Selection
from projections.likes import LIKE_COUNTS, LIKES, LikeCountRow
from projections.saves import SAVES
from projections.writes import Positioned, put, remove
from schemas import events as e
from streams.bootstrap import Connected, connect_generations
from streams.generation_admin import AdminPorts, GenerationAdmin
from streams.generation_ports import admin_ports
from streams.rebuilding import Share
from streams.verifying import Verdict
from tests.integration.command_line import CommandLine
from tests.integration.fault_checks import caught_up, holds
from tests.integration.fault_wishes import liking
from tests.integration.fault_world import FaultWorld
from tests.integration.workers import Hand, WorkerProcess, eventually, without_deployment

READING_SECONDS = 1.0
KILLED = -9


@pytest.fixture
async def connected(workers: list[WorkerProcess], settings: Settings) -> AsyncIterator[Connected]:
    async with connect_generations(settings) as found:
        yield found


@pytest.fixture
async def ports(connected: Connected, settings: Settings) -> AsyncIterator[AdminPorts]:
    """What the work on generations stands on. Whatever a test leaves behind, the first ones are live after it."""
    found = admin_ports(settings, connected, READING_SECONDS)
    yield found
    await asyncio.gather(*(first_again(GenerationAdmin(found, projection.name)) for projection in PROJECTIONS))


async def first_again(admin: GenerationAdmin) -> None:
    if (await admin.generations()).live != FIRST:
        await admin.rollback()
    await admin.prune()


async def unheard(records: int) -> None:
    pass


async def built(ports: AdminPorts, name: str) -> GenerationAdmin:
    """A generation of a projection that live jobs have taken over."""
    admin = GenerationAdmin(ports, name)
    generations = await admin.prepare()
    await admin.fold(generations, Share(), unheard)
    assert await admin.finish(generations)
    return admin


async def stood_still(admin: GenerationAdmin) -> Verdict:
    """The verdict once both generations are read alike: live jobs bring the other one behind them."""
    found: list[Verdict] = []

    async def is_alike() -> bool:
        found.append(await admin.verify())
        return not found[-1].same or str(found[-1].live) == str(found[-1].other)

    await eventually(is_alike)
    return found[-1]


def start_rebuild(environment: dict[str, str], home: Path, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "cli.app", "rebuild", *options, "--json"],
        cwd=REPOSITORY,
        env={**without_deployment(), **environment, "PHOTOLOG_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


async def kill_rebuilds(
    admin: GenerationAdmin, environment: dict[str, str], home: Path, chance: random.Random, kills: int
) -> int:
    """Rebuild in a process that is killed once it has folded something, again and again; how often it was."""
    killed = 0
    while killed < kills:
        process = start_rebuild(environment, home, admin.name, "--rate", "40")
        before = await folded(admin)

        async def has_moved(process: subprocess.Popen[bytes] = process, before: int = before) -> bool:
            return process.poll() is not None or await folded(admin) > before

        await eventually(has_moved)
        await asyncio.sleep(chance.uniform(0, 0.5))
        process.kill()
        status = await asyncio.to_thread(process.wait)
        if status != KILLED:
            break
        killed += 1
    return killed


def seldom(hand: Hand, town: FaultWorld) -> list[e.Event]:
    """What people of the town never do."""
    ((post_id, owner_id), *_), actor_id = town.ideas.posts.items(), town.star.account_id
    comment_id, report_id, share_id = (hand.ids.next() for _ in range(3))
    return [
        e.PostSaved(actor_id=actor_id, post_id=post_id, owner_id=owner_id),
        e.PostShared(share_id=share_id, actor_id=actor_id, post_id=post_id, channel="link"),
        e.CommentLiked(actor_id=actor_id, comment_id=comment_id, post_id=post_id),
        e.ContentReported(
            report_id=report_id,
            reporter_id=actor_id,
            target="post",
            target_id=post_id,
            post_id=None,
            owner_id=owner_id,
            reason="spam",
            note="what is this?",
        ),
        *told(hand, actor_id, post_id, owner_id),
    ]


def told(hand: Hand, actor_id: int, post_id: int, owner_id: int) -> list[e.Event]:
    """What becomes of a story, and what is computed; all of it is there for an hour at least."""
    story_id, highlight_id, reply_id, media_id = (hand.ids.next() for _ in range(4))
    now, later = now_ms(), now_ms() + 3_600_000
    media = e.MediaItem(media_id=media_id, width=640, height=480, variants=["w640.jpeg"])
    return [
        e.StoryCreated(story_id=story_id, owner_id=owner_id, media_id=media_id, audience="everyone", alt_text="x"),
        e.StoryPublished(story_id=story_id, owner_id=owner_id, published_ms=now, expires_ms=later, media=media),
        e.CloseFriendAdded(owner_id=owner_id, friend_id=actor_id),
        e.HighlightSaved(highlight_id=highlight_id, owner_id=owner_id, title="Best", story_ids=[story_id]),
        e.StoryReplied(reply_id=reply_id, story_id=story_id, owner_id=owner_id, sender_id=actor_id, text="oh"),
        e.StoryReacted(story_id=story_id, owner_id=owner_id, sender_id=actor_id, reaction="🔥"),
        e.StoryViewed(
            viewer_id=actor_id, story_id=story_id, owner_id=owner_id, at_ms=now, published_ms=now, expires_ms=later
        ),
        e.StoryViewCounted(
            story_id=story_id, owner_id=owner_id, viewer_id=actor_id, viewed_ms=now, views=1, expires_ms=later
        ),
        e.HashtagBarred(hashtag="barred", reason="blocked", operator="op"),
        e.ContentBlocked(digest=f"{story_id:064x}", rule="spam", operator="op"),
        e.HashtagsRanked(
            scope="world",
            window_start_ms=now - 3_600_000,
            window_end_ms=now,
            hashtags=[e.RankedHashtag(hashtag="fog", people=3)],
        ),
        e.EngagementMeasured(
            measured="post", post_id=post_id, author_id=owner_id, viewer_id=0, window_ms=300_000, likes=1,
            valid_from_ms=now, valid_until_ms=later, comments=0, shares=0, saves=0, views=0.0, rate=1.0,
        ),
    ]  # fmt: skip


async def folded(admin: GenerationAdmin) -> int:
    """How many records the generation that is being built has gone past."""
    building = (await admin.generations()).building
    if building is None:
        return 0
    return sum(at.next_offset for at in (await admin.positions(building)).values())


@pytest.mark.timeout(600)  # on a machine that does much else besides
async def test_every_projection_is_rebuilt_the_same_though_workers_rebuilds_and_the_store_are_killed(
    workers: list[WorkerProcess],
    hand: Hand,
    town: FaultWorld,
    ports: AdminPorts,
    stack: Stack,
    migrated: dict[str, str],
    tmp_path: Path,
) -> None:
    chance = random.Random(town.seed)
    exits = len(workers[0].exits)
    valkey = stack.pids["valkey"]

    async def is_another() -> bool:
        with contextlib.suppress(RedisError, OSError):
            return stack.pids.get("valkey", valkey) != valkey and bool(await hand.redis.ping())
        return False

    async with town.living():
        await town.everyone_posts(2)
        await hand.append(*seldom(hand, town))
        admin = GenerationAdmin(ports, "graph")
        assert await kill_rebuilds(admin, migrated, tmp_path, chance, 2) == 2
        workers[0].kill()
        await asyncio.sleep(chance.uniform(0, 2))
        stack.kill("valkey")
        await eventually(is_another)
        admins = await asyncio.gather(*(built(ports, projection.name) for projection in PROJECTIONS))
    await holds(town, hand, workers)
    assert KILLED in workers[0].exits[exits:]
    verdicts = await asyncio.gather(*(stood_still(admin) for admin in admins))
    for admin, verdict in zip(admins, verdicts, strict=True):
        assert verdict.same, verdict.shown
        assert verdict.live.rows, f"nothing of {admin.name} was there to compare"
    assert "every card is the same" in await CommandLine(migrated).run("verify", "feed")


async def test_a_row_that_was_planted_is_found_and_named_and_goes_live_only_where_that_is_meant(
    hand: Hand, town: FaultWorld, ports: AdminPorts, connected: Connected, workers: list[WorkerProcess]
) -> None:
    fan = town.residents[0]
    post_id = await town.published(town.star)
    assert await town.wish(liking(fan, post_id))
    await caught_up(hand, workers)
    admin = await built(ports, "likes")
    number = (await admin.generations()).building or 0
    key, count = await plant(hand, connected, number, post_id, fan.account_id)
    verdict = await admin.verify()
    assert {found.key for found in verdict.shown} == {key, count}
    assert {(found.live is None, found.other is None) for found in verdict.shown} == {(False, True), (False, False)}
    with pytest.raises(Conflict, match="2 rows of likes differ"):
        await admin.swap()
    with pytest.raises(Conflict, match="not 00"):
        await admin.swap("00")
    seen, stop = set[tuple[int, bool]](), asyncio.Event()
    async with asyncio.TaskGroup() as meanwhile:
        meanwhile.create_task(read(town, fan, post_id, seen, stop))
        meanwhile.create_task(like_other_posts(hand, stop))
        await admin.swap(str(verdict.differences))
        await eventually(lambda: shows(town, fan, post_id, (99, False)))
        await admin.rollback()
        await eventually(lambda: shows(town, fan, post_id, (1, True)))
        stop.set()
    assert seen == {(1, True), (99, False)}, "a page showed some of one generation and some of another"
    assert await admin.prune() == (number,)
    await holds(town, hand, workers)


async def plant(hand: Hand, connected: Connected, number: int, post_id: int, actor_id: int) -> tuple[Any, Any]:
    """Make a generation say that nobody likes the post, and that 99 do."""
    rows = connected.at(Selection({"likes": number})).rows
    like = LIKES.key(actor_id, post_id)
    (kept,) = (await rows.load([like])).values()
    (part,) = await rows.scan_kept(LIKE_COUNTS, (post_id,), limit=9)
    assert isinstance(part.row, LikeCountRow)
    wrong = LikeCountRow(post_id=post_id, source=part.row.source, count=99)
    await rows.apply(
        [[Positioned(remove(like), kept.offset + 1), Positioned(put(LIKE_COUNTS, wrong), part.offset + 1)]]
    )
    return like, LIKE_COUNTS.key(post_id, part.row.source)


async def look(town: FaultWorld, who: Any, post_id: int) -> tuple[int, bool]:
    """How many like a post, and whether the reader does, on one page."""
    card = (await town.request(who, "GET", f"/v1/posts/{post_id}")).json()
    return card["counts"]["likes"], card["viewer"]["liked"]


async def shows(town: FaultWorld, who: Any, post_id: int, wanted: tuple[int, bool]) -> bool:
    return await look(town, who, post_id) == wanted


async def read(town: FaultWorld, who: Any, post_id: int, seen: set[tuple[int, bool]], stop: asyncio.Event) -> None:
    """Look at a post all the time."""
    while not stop.is_set():
        seen.add(await look(town, who, post_id))


async def like_other_posts(hand: Hand, stop: asyncio.Event) -> None:
    """Go on with the topic all the time."""
    while not stop.is_set():
        await hand.append(e.PostLiked(actor_id=hand.ids.next(), post_id=hand.ids.next()))


async def test_a_generation_that_is_not_followed_cannot_go_live(
    hand: Hand, ports: AdminPorts, workers: list[WorkerProcess]
) -> None:
    admin = GenerationAdmin(ports, "saves")
    with pytest.raises(Conflict, match="there is no generation"):
        await admin.swap()
    generations = await admin.prepare()
    with pytest.raises(Conflict, match="has not come to the log's end"):
        await admin.swap()
    assert generations.building is not None
    await admin.prune()
    assert await admin.positions(generations.building) == {}
    assert (await admin.generations()).kept == (1,)


async def test_a_rebuild_to_a_time_has_what_was_there_then(
    hand: Hand, ports: AdminPorts, workers: list[WorkerProcess]
) -> None:
    actor, early, late = hand.ids.next(), hand.ids.next(), hand.ids.next()
    await hand.append(e.PostSaved(actor_id=actor, post_id=early, owner_id=1))
    await asyncio.sleep(0.05)
    between_ms = ports.clock_ms()
    await asyncio.sleep(0.05)
    positions = await hand.append(e.PostSaved(actor_id=actor, post_id=late, owner_id=1))
    await hand.applied("saves", positions)
    admin = GenerationAdmin(ports, "saves")
    generations = await admin.prepare(between_ms)
    await admin.fold(generations, Share(), unheard)
    rows = admin.rows(generations.building or 0)
    assert await rows.get(SAVES.key(actor, early)) is not None
    assert await rows.get(SAVES.key(actor, late)) is None
    with pytest.raises(Conflict, match="time in the past"):
        await admin.swap()
    await admin.prune()
