"""The commands of docs/REBUILDING.md, one after the other, and what they say to people and to programs."""

import pytest

from schemas import events as e
from tests.integration.command_line import CommandLine, commands_of
from tests.integration.workers import Hand, WorkerProcess

TEST = "tests/integration/test_rebuilding_guide.py"


@pytest.fixture(scope="module")
def command(migrated: dict[str, str]) -> CommandLine:
    # `prune` waits for as long as a request may go on; here none does.
    hurried = {
        "PHOTOLOG_KAFKA__APPEND_TIMEOUT_MS": "500",
        "PHOTOLOG_GATEWAY__POSITION_WAIT_MS": "0",
        "PHOTOLOG_GATEWAY__REQUEST_SECONDS": "1",
    }
    return CommandLine({**migrated, **hurried})


async def test_the_commands_of_the_guide_work(command: CommandLine, hand: Hand, workers: list[WorkerProcess]) -> None:
    likes = [e.PostLiked(actor_id=hand.ids.next(), post_id=hand.ids.next()) for _ in range(20)]
    await hand.applied("likes", await hand.append(*likes, likes[0]))
    said = {" ".join(arguments): await command.run(*arguments) for arguments in commands_of("docs/REBUILDING.md", TEST)}
    assert len(said) == 8
    assert "would begin" in said["rebuild likes --dry-run"]
    assert "live jobs keep it up to date" in said["rebuild likes --workers 2"]
    assert "every row is the same" in said["verify likes"]
    assert "every card is the same" in said["verify feed"]
    assert "is kept for `rollback likes`" in said["swap likes"]
    assert "generation 1 is live" in said["rollback likes"]
    assert said["prune likes"].startswith("likes: generations given up: ")


async def test_every_projection_says_what_became_of_its_records(
    command: CommandLine, hand: Hand, workers: list[WorkerProcess]
) -> None:
    lines = await command.lines("projections", "--json")
    assert {line["projection"] for line in lines} >= {"accounts", "graph", "likes", "feed"}
    for line in lines:
        fates = sum(line[fate] for fate in ("applied", "duplicates", "noops", "dead", "parked"))
        assert line["consumed"] == fates, line
        assert line["lag"] == sum(partition["lag"] for partition in line["partitions"])
    (likes,) = [line for line in lines if line["projection"] == "likes"]
    assert (likes["generation"], likes["state"], likes["engine"]) == (1, "live", "cassandra")
    assert likes["rows"] >= 60
    assert len(likes["digest"]) == 32


@pytest.mark.parametrize(
    "words", [("rebuild", "nothing"), ("verify", "likes"), ("swap", "likes"), ("rollback", "likes")]
)
async def test_what_cannot_be_done_is_said(command: CommandLine, words: tuple[str, ...]) -> None:
    said = await command.run(*words, status=1)
    assert said.startswith("photolog: ")
    assert "Traceback" not in said
