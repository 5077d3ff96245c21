"""The data engineer's commands: what they print, and what they refuse before they ask any engine."""

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cli.app import app
from cli.log_options import offsets
from cli.replay import refuse_unless_forced
from cli.replay_progress import ReplayProgress
from cli.tail import json_line, table_line
from cli.topics import topic_lines, topics_table
from infra.local.home import REPOSITORY
from photolog.errors import Conflict
from photolog.log.inspection import TopicState
from photolog.log.replaying import Tally
from schemas.topics import TOPICS
from schemas.viewing import Undecodable, ViewedRecord

ANSI = re.compile(r"\x1b\[[0-9;]*m")
WIDE = {"COLUMNS": "200", "TERM": "dumb"}


@pytest.fixture(autouse=True)
def no_local_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine is there to be asked."""
    monkeypatch.setenv("PHOTOLOG_HOME", str(tmp_path / "home"))


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments), env=WIDE)
    said = done.output + ("" if done.exception is None else str(done.exception))
    return done.exit_code, " ".join(ANSI.sub("", said).replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("tail", "posts", "--since", "yesterday"), "--since: 'yesterday' is no time"),
        (("tail", "posts", "--type", "post.liekd"), "there is no event type post.liekd; did you mean post.liked"),
        (("tail", "posts", "--limit", "-1"), "--limit"),
        (("tail", "posts", "--format", "yaml"), "--format"),
        (("replay", "likes", "--into", "copy", "--from", "soon"), "--from: 'soon' is no time"),
        (("replay", "likes", "--into", "copy", "--to", "0@7"), "--to: '0@7' is no time"),
        (("replay", "likes", "--into", "copy", "--from", "0@7,0@8"), "--from: '0@8' is no offset of likes"),
        (("replay", "likes", "--into", "copy", "--from", "posts/0@7"), "--from: 'posts/0@7' is no offset of likes"),
        (("replay", "likes", "--into", "copy", "--type", "x"), "there is no event type x"),
        (("replay", "likes", "--into", "copy", "--rate", "0"), "--rate"),
        (("replay", "likes", "--into", "copy", "--run", "a b"), "--run"),
    ],
)  # fmt: skip
def test_an_option_that_means_nothing_is_refused_by_its_name(arguments: tuple[str, ...], words: str) -> None:
    status, said = run(*arguments)
    assert status == 2
    assert words in said


def test_a_schema_is_shown_and_checked_without_an_engine() -> None:
    status, said = run("schemas", "show", "post.liked", "--json")
    assert (status, json.loads(said)["subject"]) == (0, "likes-photolog.engagement.PostLiked")
    file = REPOSITORY / "schemas/avro/engagement/CommentCreated.avsc"
    assert run("schemas", "check", str(file), "--offline") == (0, "history 1: fits history 2: fits history 3: fits")


def test_a_schema_that_breaks_what_was_written_fails_with_the_reasons(tmp_path: Path) -> None:
    form = json.loads((REPOSITORY / "schemas/avro/engagement/CommentCreated.avsc").read_text())
    form["fields"] = [field for field in form["fields"] if field["name"] != "post_id"]
    file = tmp_path / "CommentCreated.avsc"
    file.write_text(json.dumps(form))
    status, said = run("schemas", "check", str(file), "--offline")
    assert status == 1
    assert "history 1: does not fit old reader, new bytes: reader_field_missing_default_value" in said
    file.write_text("{}")
    assert run("schemas", "check", str(file), "--offline")[0] == 1


def test_a_topic_that_kafka_does_not_have_says_so() -> None:
    state = TopicState(partitions=3, retention_ms=-1, records=7, first_ms=1_796_040_000_123, last_ms=1_796_040_000_123)
    lines = topic_lines({"likes": state, "likes.dead": TopicState(3, -1, 0, None, None)})
    assert [line.topic for line in lines] == [name for topic in TOPICS for name in (topic.name, topic.dead_letters)]
    likes, dead = (line for line in lines if line.topic in ("likes", "likes.dead"))
    assert (likes.there, likes.records, likes.first_time, likes.keyed_by) == (
        True,
        7,
        "2026-11-30T12:00:00.123Z",
        "actor_id",
    )
    assert likes.events == ["post.liked", "post.unliked"]
    assert (dead.kind, dead.records, dead.last_time) == ("dead-letter", 0, None)
    assert not next(line for line in lines if line.topic == "posts").there
    console = Console(width=300, record=True, file=io.StringIO())
    console.print(topics_table(lines))
    said = console.export_text()
    assert re.search(r"posts +action +missing in Kafka", said)
    assert re.search(r"likes +action +7 +3 +for ever +2026-11-30T12:00:00", said)


def test_a_line_says_where_and_what_and_holds_no_control_characters() -> None:
    one = ViewedRecord(
        topic="likes", partition=2, offset=41, time="2026-11-30T12:00:00.123Z", event_id="id", type="post.liked",
        key="7\x1b[2J", event={"actor_id": "7", "post_id": "8"}, undecodable=None, headers={"correlation_id": "c"},
    )  # fmt: skip
    line = table_line(one)
    assert line.split()[:5] == ["2026-11-30T12:00:00.123Z", "likes/2@41", "post.liked", "id", "7\\x1b[2J"]
    assert line.endswith("actor_id=7 post_id=8\n")
    assert json.loads(json_line(one))["event"] == {"actor_id": "7", "post_id": "8"}


def test_a_dead_letter_that_is_no_event_shows_reason_bytes_and_story() -> None:
    one = ViewedRecord(
        topic="likes.dead", partition=0, offset=0, time="2026-11-30T12:00:00.123Z", event_id=None, type=None, key=None,
        event=None, undecodable=Undecodable(reason="magic byte is 9, not 0", first_bytes="CQ==", size_bytes=1),
        headers={"dead_reason": "undecodable", "correlation_id": "c"},
    )  # fmt: skip
    line = table_line(one)
    assert "undecodable: magic byte is 9, not 0; 1 bytes, the first: CQ==  dead_reason=undecodable" in line
    assert "correlation_id" not in line


@pytest.mark.parametrize("target", ["likes", "posts", "likes.dead"])
def test_a_replay_into_what_jobs_read_is_refused_unless_it_is_forced(target: str) -> None:
    with pytest.raises(Conflict, match="for 2 days only"):
        refuse_unless_forced("likes", target, force=False)
    refuse_unless_forced("likes", target, force=True)


def test_a_replay_into_a_topic_of_ones_own_is_not_refused_but_into_itself_it_is() -> None:
    refuse_unless_forced("likes", "likes.copy", force=False)
    with pytest.raises(Conflict, match="the topic itself"):
        refuse_unless_forced("likes.copy", "likes.copy", force=False)


def test_offsets_are_read_with_and_without_the_topics_name() -> None:
    assert offsets("0@1200, likes/2@900", "likes", "--from") == {0: 1200, 2: 900}
    assert offsets("2h", "likes", "--from") is None
    assert offsets(None, "likes", "--from") is None


def test_a_replay_shows_a_bar_with_rate_and_time_left_on_a_terminal() -> None:
    console = Console(width=120, force_terminal=True, file=io.StringIO())
    progress = ReplayProgress(console)
    with progress.shown(10, 2_000, Tally()):
        progress.report(Tally(looked=10, read=500, appended=500))
        progress.report(Tally(looked=10, read=1_000, appended=1_000))
    assert isinstance(console.file, io.StringIO)
    said = ANSI.sub("", console.file.getvalue())
    assert "1000/2000" in said
    assert re.search(r"[0-9,]+/s", said)
