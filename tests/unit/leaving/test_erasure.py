"""An erasure over all jobs and stores in memory: what it leaves, what it leaves alone, and that nothing stops it."""

import msgspec
import pytest

from gateway.signup import resting_hash
from gateway.vault.port import CredentialRow, ErasureRow
from leaving.erasure import Erasure
from leaving.worker import LeavingWorker
from photolog.media.caches import author_key
from photolog.receipts import ReceiptKey, verify_receipt
from projections.comments import COMMENT_COUNTS, COMMENTS
from projections.generations import Generations, Pointers
from projections.graph import GRAPH_COUNTS
from projections.likes import LIKE_COUNTS
from projections.media import MEDIA, REVIEWS
from projections.saves import SAVE_COUNTS
from projections.shares import SHARE_COUNTS
from projections.stores.generation_pointers import MemoryPointers
from projections.stores.memory_cache import MemoryCache
from projections.stores.pinning import PinnedPointers
from projections.stores.port import Source, StoredPosition
from schemas import events as e
from schemas.topics import MONTH_MS
from tests.unit.leaving.world import (
    ANNA,
    BERT,
    CARL,
    DORA,
    HASH_KEY,
    MASTER_KEY,
    NAME,
    OTHERS_KEYS,
    SETTLE_SECONDS,
    World,
    left_rows,
    of_others,
)
from tests.unit.streams.river import NOW_MS, SERDE, River, visible_rows
from tests.unit.streams.scenario import post, ready


async def sum_of(world: World, table: object, key: int, counter: str | None = None) -> int:
    rows = await world.river.rows.scan(table, (key,), limit=100)
    return sum(row.count for row in rows if counter is None or row.counter == counter)


async def test_nothing_of_the_account_is_left(world: World) -> None:
    assert left_rows(world.river.rows), "there has to be something to remove"
    await world.begin()
    await world.erase()
    assert left_rows(world.river.rows) == []
    assert await world.vault.credentials.get(ANNA) is None
    assert await world.vault.sessions.listed(ANNA) == []
    assert [key async for key in world.vault.reservations.keys_of(str(ANNA))] == []
    assert [row async for row in world.vault.uploads.of(ANNA)] == []
    assert sorted(world.objects.objects) == sorted(OTHERS_KEYS)
    assert world.objects.uploads == {}
    assert author_key(ANNA) in world.shared_caches.purged
    await world.river.keys.ensure([ANNA])
    assert world.river.keys.key_of(ANNA) is None


async def test_the_user_name_rests_and_is_not_kept_in_clear(world: World) -> None:
    await world.begin()
    await world.erase()
    assert await world.vault.usernames.get(NAME) is None
    assert await world.vault.usernames.resting(resting_hash(HASH_KEY, NAME))


async def test_what_others_did_stays_and_their_counts_are_exact(world: World) -> None:
    before = of_others(visible_rows(world.river.rows).items())
    await world.begin()
    await world.erase()
    assert of_others(visible_rows(world.river.rows).items()) == before
    assert await sum_of(world, LIKE_COUNTS, 105) == 1
    assert await sum_of(world, COMMENT_COUNTS, 105) == 1
    assert await sum_of(world, SAVE_COUNTS, 105) == 1
    assert await sum_of(world, SHARE_COUNTS, 105) == 1, "a share happened, and is not taken back"
    comment = await world.river.rows.get(COMMENTS.key(105, 953))
    assert comment.likes == 1
    for other in (BERT, CARL, DORA):
        for counter in ("followers", "following", "requests"):
            assert await sum_of(world, GRAPH_COUNTS, other, counter) == 0
    assert await world.vault.credentials.get(BERT) is not None
    assert len(await world.vault.sessions.listed(BERT)) == 1


async def test_the_log_from_its_start_gives_the_same_rows_without_the_key(world: World) -> None:
    await world.begin()
    await world.erase()
    again = River(log=world.river.log, timelines=world.river.timelines, cache=MemoryCache(), keys=world.river.keys)
    await again.pump()
    assert visible_rows(again.rows) == visible_rows(world.river.rows)


async def test_old_records_still_decode_with_their_personal_fields_absent(world: World) -> None:
    await world.begin()
    await world.erase()
    await world.river.keys.ensure([ANNA, CARL])
    texts = {}
    for record in world.river.log.of("comments"):
        event = SERDE.open_record(SERDE.parse(record.value), world.river.keys.key_of)
        if isinstance(event, e.CommentCreated):
            texts[event.comment_id] = event.text
    assert texts[952] is None
    assert texts[953] == "theirs on theirs"


async def test_a_command_under_way_is_waited_out_and_taken_back(world: World) -> None:
    await world.begin()
    worker = LeavingWorker(world.resources())
    for _ in range(3):
        await worker.look()
        await world.river.pump()
    row = await world.vault.erasures.get(ANNA)
    assert row is not None
    assert row.step == "wait", "its deadline is not over"
    world.now_ms += int(SETTLE_SECONDS * 1_000) - 1
    # Decided before the mark, and in the log just before the deadline.
    world.river.append(
        ready(701, ANNA), post(107, ANNA, 701), e.PostLiked(actor_id=ANNA, post_id=105), comment_of(ANNA, 909)
    )
    await worker.look()
    await world.erase()
    assert left_rows(world.river.rows) == []


async def test_photographs_on_their_way_are_waited_for(world: World) -> None:
    world.reader.idle = True
    await world.begin()
    worker = LeavingWorker(world.resources())
    for _ in range(10):
        await worker.look()
        await world.river.pump()
        world.now_ms += 10_000
    row = await world.vault.erasures.get(ANNA)
    assert row is not None
    assert row.step == "settle"
    world.reader.idle = False
    await world.erase()


async def test_the_receipt_says_what_was_removed_and_where(world: World) -> None:
    await world.begin()
    row = await world.erase()
    assert row.receipt is not None
    receipt = verify_receipt(ReceiptKey(MASTER_KEY).public, row.receipt)
    assert receipt.account_id == str(ANNA)
    assert receipt.removed == {
        "events.account.deleted": 1,
        "events.account.unblocked": 1,
        "events.account.unmuted": 1,
        "events.close_friend.removed": 1,
        "events.comment.deleted": 2,
        "events.comment.unliked": 2,
        "events.follow.deleted": 3,
        "events.follow.denied": 1,
        "events.follower.removed": 4,
        "events.highlight.deleted": 1,
        "events.post.deleted": 2,
        "events.post.unliked": 2,
        "events.post.unsaved": 1,
        "events.report.withdrawn": 1,
        "events.story.deleted": 2,
        "events.story.reaction_withdrawn": 1,
        "events.story.reply_deleted": 1,
        "key": 1,
        "objects": 4,
        "unfinished-uploads": 1,
        "vault.credentials": 1,
        "vault.reservations": 1,
        "vault.sessions": 1,
        "vault.uploads": 1,
    }
    assert {place.partition("/")[0] for place in receipt.positions.split(",")} == {
        "accounts",
        "close.friends",
        "comment.likes",
        "comments",
        "graph",
        "highlights",
        "likes",
        "posts",
        "reports",
        "saves",
        "stories",
        "story.replies",
    }


async def test_what_turns_up_before_the_receipt_is_removed_too(world: World) -> None:
    await world.begin()
    worker = LeavingWorker(world.resources())
    late = f"raw/{ANNA}/999"
    purged = False
    for _ in range(40):
        row = await world.vault.erasures.get(ANNA)
        assert row is not None
        if row.step == "verify" and not purged:
            purged = True
            world.objects.objects[late] = (b"late", "image/jpeg")
        if row.step == "finished":
            break
        await Erasure(world.resources(), row).advance()
        await world.river.pump()
        world.now_ms += 10_000
    assert purged
    assert row is not None
    assert late not in world.objects.objects
    assert row.removed["objects"] == 5
    await worker.look()
    assert await world.vault.erasures.unfinished() == []


async def test_two_workers_do_no_harm(world: World) -> None:
    await world.begin()
    for _ in range(40):
        row = await world.vault.erasures.get(ANNA)
        assert row is not None
        if row.step == "finished":
            break
        moved = [await Erasure(world.resources(), row).advance() for _ in range(2)]
        assert moved.count(True) <= 1
        await world.river.pump()
        world.now_ms += 10_000
    assert row is not None
    assert row.step == "finished"
    assert left_rows(world.river.rows) == []


async def test_a_log_that_is_away_costs_a_look_and_no_more(world: World) -> None:
    await world.begin()
    world.river.log.away = 3
    assert (await world.erase()).receipt is not None


async def test_one_account_that_cannot_leave_does_not_keep_the_others_waiting(world: World) -> None:
    await world.begin()
    odd = ErasureRow(account_id=1, step="no such step", requested_ms=1, step_ms=1)
    await world.vault.erasures.begin(odd)
    worker = LeavingWorker(world.resources())
    for _ in range(20):
        with pytest.raises(ExceptionGroup, match="could not leave"):
            await worker.look()
        await world.river.pump()
        world.now_ms += 10_000
    row = await world.vault.erasures.get(ANNA)
    assert row is not None
    assert row.step == "finished"


async def test_an_erasure_that_was_listed_and_never_marked_does_nothing(world: World) -> None:
    class Unmarked:
        async def unfinished(self) -> list[int]:
            return [ANNA]

        async def get(self, account_id: int) -> None:
            return None

    records = len(world.river.log.of("accounts"))
    vault = type(world.vault)(**{**{f: getattr(world.vault, f) for f in world.vault.__slots__}, "erasures": Unmarked()})
    await LeavingWorker(world.resources(vault=vault)).look()
    assert len(world.river.log.of("accounts")) == records
    assert isinstance(await world.vault.credentials.get(ANNA), CredentialRow)


def comment_of(author_id: int, comment_id: int) -> e.CommentCreated:
    return e.CommentCreated(comment_id=comment_id, post_id=105, author_id=author_id, text="late")


async def test_a_generation_whose_rebuild_stands_still_holds_the_receipt_up(world: World) -> None:
    await world.live()
    await world.begin()
    pinned = PinnedPointers(MemoryPointers())
    pinned._current = Pointers().changed("comments", Generations().begun())
    worker = LeavingWorker(world.resources(pinned=pinned))
    with pytest.raises(AssertionError, match="not finished"):
        await world.erase(worker)
    row = await world.vault.erasures.get(ANNA)
    assert row is not None
    assert row.step == "verify"
    for (topic, partition), records in world.river.log.partitions.items():
        if topic == "comments":
            position = StoredPosition(len(records))
            await world.river.rows.advance(Source("comments@2", topic, partition), position)
    assert (await world.erase(worker)).receipt


@pytest.mark.parametrize("judged", [True, False], ids=["in the queue", "pending"])
async def test_nobody_is_asked_any_more_about_what_waited(world: World, judged: bool) -> None:
    world.river.append(msgspec.structs.replace(ready(599, ANNA), moderation="pending"))
    if judged:
        doubt = e.MediaJudged(media_id=599, owner_id=ANNA, verdict="review", reason="hm", classifier="c")
        world.river.append(doubt)
    await world.river.pump()
    await world.begin()
    await world.erase()
    media = await world.river.rows.get(MEDIA.key(599))
    assert media.moderation == "refused"
    month = NOW_MS // MONTH_MS
    assert [row for at in (month, month + 1) for row in await world.river.rows.scan(REVIEWS, (at,), limit=9)] == []
