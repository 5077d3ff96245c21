"""The data engineer's commands as they are typed, on the real log and registry."""

import asyncio
import json
import re
import secrets
import signal
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from infra.local.home import REPOSITORY
from photolog.ids import now_ms
from photolog.log.admin import TopicWanted, create_topics
from photolog.log.inspection import topic_states
from photolog.log.origins import origin_of
from photolog.log.partitioner import partition_of
from photolog.log.record import EncodedRecord, StoredRecord
from photolog.log.slices import SliceReader
from photolog.settings import Settings
from schemas import events as e
from schemas.topics import COMMENTS, LIKES, TOPICS
from tests.integration.command_line import CommandLine, commands_of
from tests.integration.workers import Hand, eventually

SECRET = "a secret of ada's"
TEST = "tests/integration/test_log_tools.py"


@pytest.fixture(scope="module")
def command(migrated: dict[str, str]) -> CommandLine:
    return CommandLine(migrated)


@dataclass(frozen=True, slots=True)
class Comments:
    """Comments under two posts, the first of them of half an hour ago, and something that is no event."""

    one: int
    other: int
    ids: list[int]
    poison: bytes


@pytest.fixture(scope="module")
async def comments(hand: Hand) -> Comments:
    one, other, author = (hand.ids.next() for _ in range(3))
    events = [
        e.CommentCreated(comment_id=hand.ids.next(), post_id=post_id, author_id=author, text=SECRET)
        for post_id in [one, other] * 5
    ]
    poison = secrets.token_bytes(8).hex().encode()
    records = [await hand.record(event) for event in events]
    records[0] = _at(records[0], now_ms() - 30 * 60_000)
    await hand.append_records(records)
    await hand.append_records(
        [EncodedRecord(topic=COMMENTS.name, key=poison, value=b"\x09poison", headers=(), timestamp_ms=now_ms())]
    )
    return Comments(one, other, [event.comment_id for event in events], poison)


def _at(record: EncodedRecord, timestamp_ms: int) -> EncodedRecord:
    return EncodedRecord(
        topic=record.topic, key=record.key, value=record.value, headers=record.headers, timestamp_ms=timestamp_ms
    )


async def test_topics_tell_what_each_holds(command: CommandLine, comments: Comments) -> None:
    lines = {line["topic"]: line for line in await command.lines("topics", "--json")}
    assert set(lines) == {name for topic in TOPICS for name in (topic.name, topic.dead_letters)}
    assert all(line["there"] for line in lines.values())
    held = lines[COMMENTS.name]
    assert (held["kind"], held["keyed_by"], held["personal"], held["retention_ms"]) == ("action", "post_id", True, -1)
    assert held["records"] >= 11
    assert held["first_time"] < held["last_time"]
    assert lines["feed.fanout"]["retention_ms"] == 7 * 86_400_000
    assert re.search(r"comments +action +\d+ ", await command.run("topics"))


async def test_tail_shows_the_events_of_a_key_in_their_order_and_keeps_them_sealed(
    command: CommandLine, comments: Comments
) -> None:
    text = await command.run("tail", "comments", "--key", str(comments.one), "--since", "2h", "--format", "json")
    shown = [json.loads(line) for line in text.splitlines()]
    assert [int(one["event"]["comment_id"]) for one in shown] == comments.ids[::2]
    assert {one["event"]["text"] for one in shown} == {"<sealed>"}
    assert {(one["type"], one["key"]) for one in shown} == {("comment.created", str(comments.one))}
    assert all(one["event_id"] and one["undecodable"] is None for one in shown)
    recent = await command.lines("tail", "comments", "--key", str(comments.one), "--since", "10m", "--format", "json")
    assert recent == shown[1:]


async def test_tail_shows_the_newest_and_opens_what_it_is_told_to(command: CommandLine, comments: Comments) -> None:
    asked = ("tail", "comments", "--key", str(comments.other), "--limit", "2", "--format", "json")
    shown = await command.lines(*asked, "--open")
    assert [int(one["event"]["comment_id"]) for one in shown] == comments.ids[1::2][-2:]
    assert {one["event"]["text"] for one in shown} == {SECRET}
    assert SECRET not in await command.run("tail", "comments", "--key", str(comments.other))


async def test_tail_shows_what_is_no_event(command: CommandLine, comments: Comments) -> None:
    (shown,) = await command.lines("tail", "comments", "--key", comments.poison.decode(), "--format", "json")
    assert shown["undecodable"] == {
        "reason": "magic byte is 9, not 0", "first_bytes": "CXBvaXNvbg==", "size_bytes": 7,
    }  # fmt: skip
    table = await command.run("tail", "comments", "--key", comments.poison.decode())
    assert "undecodable: magic byte is 9, not 0; 7 bytes, the first: CXBvaXNvbg==" in table


async def test_tail_follows_until_it_is_interrupted(command: CommandLine, hand: Hand) -> None:
    actor = hand.ids.next()
    following = await command.start(
        "tail", LIKES.name, "--follow", "--limit", "0", "--key", str(actor), "--format", "json"
    )
    assert following.stdout is not None
    liked: list[int] = []

    async def like() -> None:
        """Until one is seen: when following has begun nobody can tell from outside."""
        while True:
            liked.append(hand.ids.next())
            await hand.append(e.PostLiked(actor_id=actor, post_id=liked[-1]))
            await asyncio.sleep(0.2)

    liking = asyncio.create_task(like())
    first = json.loads(await asyncio.wait_for(following.stdout.readline(), 30))
    second = json.loads(await asyncio.wait_for(following.stdout.readline(), 30))
    liking.cancel()
    seen = [int(one["event"]["post_id"]) for one in (first, second)]
    at = liked.index(seen[0])
    assert seen == liked[at : at + 2]
    following.send_signal(signal.SIGINT)
    _, errors = await asyncio.wait_for(following.communicate(), 20)
    assert (following.returncode, errors) == (0, b"")


async def test_a_topic_that_is_not_there_is_a_message(command: CommandLine) -> None:
    said = await command.run("tail", "unlikes", status=1)
    assert said.startswith("photolog: ")
    assert "Traceback" not in said


async def test_schemas_are_listed_as_the_registry_has_them(command: CommandLine) -> None:
    lines = {line["event"]: line for line in await command.lines("schemas", "list", "--json")}
    assert len(lines) == sum(len(topic.events) for topic in TOPICS)
    comment = lines["comment.created"]
    assert (comment["subject"], comment["compatibility"]) == (
        "comments-photolog.engagement.CommentCreated",
        "FULL_TRANSITIVE",
    )
    assert comment["schema_id"] > 0
    assert comment["version"] == comment["versions"] == 1
    assert comment["personal"] == ["text"]


async def test_a_schema_is_checked_against_history_and_registry(command: CommandLine, tmp_path: Path) -> None:
    committed = REPOSITORY / "schemas/avro/engagement/CommentCreated.avsc"
    lines = await command.lines("schemas", "check", str(committed), "--json")
    kept = len(list((REPOSITORY / "schemas/history/engagement/CommentCreated").iterdir()))
    expected = [*(f"history {number}" for number in range(1, kept + 1)), "registry 1", "registry itself"]
    assert [line["version"] for line in lines] == expected
    assert all(line["fits"] for line in lines)
    broken = json.loads(committed.read_text())
    broken["fields"].append({"name": "mood", "type": "string"})
    changed = tmp_path / "CommentCreated.avsc"
    changed.write_text(json.dumps(broken))
    process = await command.start("schemas", "check", str(changed), "--json")
    output, _ = await process.communicate()
    assert process.returncode == 1
    found = {line["version"]: line["reasons"] for line in map(json.loads, output.splitlines())}
    assert "new reader, old bytes: reader_field_missing_default_value" in found["registry 1"][0]
    assert "does not take it" in found["registry itself"][0]


@pytest.fixture
async def begins(settings: Settings) -> str:
    """Where the likes end now, as `--from` takes it."""
    async with SliceReader(settings.kafka) as reader:
        return ",".join(f"{one.partition}@{one.end}" for one in await reader.whole(LIKES.name))


async def _whole(settings: Settings, topic: str) -> list[StoredRecord]:
    async with SliceReader(settings.kafka) as reader:
        return [one async for batch in reader.read(await reader.whole(topic)) for one in batch.records]


async def test_a_replay_that_is_killed_goes_on_and_appends_nothing_twice(
    command: CommandLine, hand: Hand, settings: Settings, begins: str
) -> None:
    actors, target = [hand.ids.next() for _ in range(40)], f"likes.{secrets.token_hex(4)}"
    records = [
        await hand.record(e.PostLiked(actor_id=actor, post_id=hand.ids.next())) for _ in range(20) for actor in actors
    ]
    await hand.append_records(records)
    asked = ("replay", LIKES.name, "--into", target, "--create", "--from", begins)
    (counted,) = await command.lines(*asked, "--dry-run", "--json")
    assert (counted["appended"], counted["types"], counted["there"]) == (800, {"post.liked": 800}, 0)
    interrupted = await command.start(*asked, "--rate", "100")
    await eventually(lambda: _holds(settings, target, 50))
    interrupted.send_signal(signal.SIGINT)
    output, _ = await interrupted.communicate()
    assert (interrupted.returncode, output.decode().splitlines()[0]) == (130, "Interrupted; the same command goes on.")
    killed = await command.start(*asked, "--rate", "100")
    await eventually(lambda: _holds(settings, target, 200))
    killed.kill()
    await killed.communicate()
    (done,) = await command.lines(*asked, "--json")
    assert done["finished"]
    assert done["there"] >= 200
    assert done["there"] + done["appended"] == 800
    originals = {(one.partition, one.offset): one for one in await _whole(settings, LIKES.name)}
    repeats = await _whole(settings, target)
    assert len(repeats) == 800
    for repeat in repeats:
        origin = origin_of(repeat)
        assert origin is not None
        original = originals[origin[0].partition, origin[0].offset]
        assert repeat.partition == original.partition
        assert (repeat.key, repeat.value, repeat.timestamp_ms) == (original.key, original.value, original.timestamp_ms)
        assert repeat.headers[:-1] == original.headers
    for actor in actors:
        ids = [record.event_id for record in records if record.key == str(actor).encode()]
        assert [_event_id(one) for one in repeats if one.key == str(actor).encode()] == ids


async def _holds(settings: Settings, topic: str, count: int) -> bool:
    states = await asyncio.to_thread(topic_states, settings.kafka, [topic])
    return topic in states and states[topic].records >= count


def _event_id(record: StoredRecord) -> UUID:
    return UUID((record.header("ce_id") or b"").decode())


async def test_a_replay_into_more_partitions_goes_by_key_and_by_what_is_asked(
    command: CommandLine, hand: Hand, settings: Settings, begins: str
) -> None:
    one, other, target = hand.ids.next(), hand.ids.next(), f"likes.{secrets.token_hex(4)}"
    for actor in (one, other):
        await hand.append(
            *(e.PostLiked(actor_id=actor, post_id=hand.ids.next()) for _ in range(5)),
            e.PostUnliked(actor_id=actor, post_id=hand.ids.next()),
        )
    create_topics(settings.kafka, [TopicWanted(target, -1, 7)])
    asked = ("replay", LIKES.name, "--into", target, "--from", begins, "--key", str(one), "--type", "post.liked")
    assert "of 12 records that were read, 0 were there already, 5 were appended" in await command.run(*asked)
    repeats = await _whole(settings, target)
    assert {repeat.key for repeat in repeats} == {str(one).encode()}
    assert {repeat.partition for repeat in repeats} == {partition_of(str(one).encode(), 7)}
    shown = await command.lines("tail", target, "--format", "json")
    assert {line["type"] for line in shown} == {"post.liked"}
    assert all(line["headers"]["replayed_from"].startswith("likes/") for line in shown)


async def test_a_replay_keeps_away_from_what_jobs_read_and_makes_no_topic_unasked(command: CommandLine) -> None:
    said = await command.run("replay", LIKES.name, "--into", LIKES.name, status=1)
    assert "by its id for 2 days only" in said
    said = await command.run("replay", LIKES.name, "--into", "likes.nowhere", status=1)
    assert re.search(r"Kafka has no topic likes.nowhere: --create makes it, with the \d partitions of likes", said)
    said = await command.run("replay", "unlikes", "--into", "likes.nowhere", status=1)
    assert "Kafka has no topic unlikes" in said


@pytest.mark.parametrize("page", ["README.md", "docs/LOG_TOOLS.md"])
async def test_the_commands_of_the_pages_work(command: CommandLine, comments: Comments, page: str) -> None:
    commands = commands_of(page, TEST)
    assert len(commands) >= 7
    for arguments in commands:
        await command.run(*arguments)
