"""`photolog dlq`: look at dead letters, append them again, or give them up."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from cli.dlq_view import letter_lines, letter_page, letters_table, page_table
from leaving.log_reader import KafkaLog
from photolog.errors import Conflict, NotFound
from photolog.ids import now_ms
from photolog.library_logs import quieten
from photolog.log.letters import Letter
from photolog.log.settlements import CassandraSettlements
from photolog.settings import load_settings
from schemas.serde import Serde
from schemas.topics import TOPICS, Topic
from streams.bootstrap import connect_generations
from streams.decoding import Decoder
from streams.letters import Chain, OpenLetters
from streams.retrying import Rehearsal, Retried, Retrying

app = typer.Typer(
    help="Look at dead letters, append them again, or give them up.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    epilog="Example: [bold]bin/photolog dlq retry likes/3/1207[/bold]    # and all that is parked behind it",
)
LetterName = Annotated[str | None, typer.Argument(metavar="[LETTER]", help="TOPIC/PARTITION/OFFSET, or an event's id.")]
TopicName = Annotated[str | None, typer.Option("--topic", help="Only letters of this topic.")]
Projection = Annotated[str | None, typer.Option("--projection", help="Only this projection's letters.")]
All = Annotated[bool, typer.Option("--all", help="All open letters.")]
Json = Annotated[bool, typer.Option("--json", help="One object a line.")]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a retry came to, as `--json` prints it; `stopped_at` names the letter that cannot be processed."""

    letter: str
    projection: str
    appended: int
    settled: bool
    stopped_at: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class _Desk:
    """What the commands work with."""

    letters: OpenLetters
    retrying: Retrying
    serde: Serde


@app.command("ls")
def list_letters(topic: TopicName = None, projection: Projection = None, as_json: Json = False) -> None:
    """List what is open: each dead letter, and how many events of its key wait behind it. `--json` lists those too."""
    chains = asyncio.run(_chains(_topics(topic), projection))
    if as_json:
        for line in letter_lines(chains):
            _say(line)
    else:
        Console().print(letters_table(chains))


@app.command("show")
def show(letter: LetterName, projection: Projection = None, as_json: Json = False) -> None:
    """Show a letter: why, where, its headers, its bytes, its event with sealed fields sealed, and what waits behind."""
    asyncio.run(_show(letter or "", projection, as_json))


@app.command("retry")
def retry(
    letter: LetterName = None,
    topic: TopicName = None,
    projection: Projection = None,
    every: All = False,
    force: Annotated[bool, typer.Option("--force", help="Also what cannot be processed now.")] = False,
    wait_seconds: Annotated[float, typer.Option(min=0, max=3_600, help="How long to wait for the job.")] = 30.0,
    as_json: Json = False,
) -> None:
    """Append a letter's record again, and all that is parked behind it, in order, under the same ids.

    What cannot be decoded or folded now is refused, with all behind it. Killed at any moment, it is run again.
    The exit status is 1 where anything could not be processed.
    """
    outcomes = asyncio.run(_retry(_selection(letter, topic, every), topic, projection, force, wait_seconds))
    for outcome in outcomes:
        if as_json:
            _say(outcome)
        else:
            Console(highlight=False).print(_sentence(outcome), markup=False, soft_wrap=True)
    if any(outcome.stopped_at for outcome in outcomes):
        raise typer.Exit(1)


@app.command("drop")
def drop(
    letter: LetterName = None,
    topic: TopicName = None,
    projection: Projection = None,
    every: All = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Give a letter up: the job goes on without it. What is parked behind it waits for a retry or a drop of its own."""
    selected = _selection(letter, topic, every)
    if selected is None and not yes:
        typer.confirm("Give up every letter that is open here?", abort=True)
    count = asyncio.run(_drop(selected, topic, projection))
    Console(highlight=False).print(f"{count} letter{'' if count == 1 else 's'} given up")


def _selection(letter: str | None, topic: str | None, every: bool) -> str | None:
    """The letter that is meant; None for all of a topic, or of every topic."""
    if sum((letter is not None, topic is not None or every)) != 1:
        raise typer.BadParameter("name one letter, or say --all or --topic", param_hint="LETTER")
    return letter


def _topics(name: str | None) -> Sequence[Topic]:
    if name is None:
        return TOPICS
    topics = [topic for topic in TOPICS if topic.name == name]
    if not topics:
        raise typer.BadParameter(f"there is no topic {name}", param_hint="--topic")
    return topics


@asynccontextmanager
async def _desk(wait_seconds: float = 30.0) -> AsyncIterator[_Desk]:
    quieten("cassandra", "librdkafka")
    settings = load_settings()
    async with connect_generations(settings) as connected:
        await connected.pinned.pin_fresh()
        resources = connected.live
        settlements = CassandraSettlements(connected.session)
        letters = OpenLetters(KafkaLog(settings.kafka), resources.rows, settlements, resources.growths)
        rehearsal = Rehearsal(Decoder(resources.serde, resources.keys), resources.rows)
        yield _Desk(
            letters,
            Retrying(letters, resources.log, resources.rows, settlements, rehearsal, now_ms, wait_seconds),
            resources.serde,
        )


async def _chains(topics: Sequence[Topic], projection: str | None) -> list[Chain]:
    async with _desk() as desk:
        return await desk.letters.chains(topics, projection)


async def _show(name: str, projection: str | None, as_json: bool) -> None:
    async with _desk() as desk:
        for chain, letter in named(await desk.letters.chains(_topics_of(name), projection), name):
            page = letter_page(letter, chain, desk.serde)
            if as_json:
                _say(page)
            else:
                Console().print(page_table(page))


async def _retry(
    name: str | None, topic: str | None, projection: str | None, force: bool, wait_seconds: float
) -> list[Outcome]:
    async with _desk(wait_seconds) as desk:
        chains = await desk.letters.chains(_topics_of(name) if name else _topics(topic), projection)
        if name:
            chains = [chain for chain, _ in named(chains, name)]
        return [_outcome(chain, await desk.retrying.retry(chain, force=force)) for chain in chains]


async def _drop(name: str | None, topic: str | None, projection: str | None) -> int:
    async with _desk() as desk:
        chains = await desk.letters.chains(_topics_of(name) if name else _topics(topic), projection)
        meant = (
            [(chain, [letter]) for chain, letter in named(chains, name)] if name else [(c, c.letters) for c in chains]
        )
        for chain, letters in meant:
            await desk.retrying.drop(chain, letters)
        return sum(len(letters) for _, letters in meant)


def named(chains: Sequence[Chain], name: str) -> list[tuple[Chain, Letter]]:
    """The letters that a name means: of one record, for whichever projections could not process it.

    Args:
        chains: what is open.
        name: `topic/partition/offset`, or the id of an event.

    Raises:
        NotFound: no open letter is called so.
        Conflict: several records carry this event.
    """
    found = [(chain, letter) for chain in chains for letter in chain.letters if name in (letter.name, letter.event_id)]
    if not found:
        raise NotFound("no-such-letter", f"no open letter is called {name}; `dlq ls --json` lists them")
    if len({letter.name for _, letter in found}) > 1:
        names = ", ".join(letter.name for _, letter in found)
        raise Conflict("which-letter", f"several records carry the event {name}: {names}")
    return found


def _topics_of(name: str) -> Sequence[Topic]:
    """The topics to look in for a letter."""
    topic, slash, _ = name.partition("/")
    return _topics(topic) if slash else TOPICS


def _outcome(chain: Chain, retried: Retried) -> Outcome:
    stopped = retried.stopped_at.name if retried.stopped_at else None
    return Outcome(
        letter=chain.letters[0].name,
        projection=chain.projection,
        appended=retried.appended,
        settled=retried.settled,
        stopped_at=stopped,
        reason=retried.reason,
    )


def _sentence(outcome: Outcome) -> str:
    done = f"{outcome.letter} ({outcome.projection}): {outcome.appended} appended"
    if outcome.stopped_at:
        return f"{done}; {outcome.stopped_at} cannot be processed: {outcome.reason}"
    return f"{done}; nothing is left" if outcome.settled else f"{done}; the job has not come there yet: look again"


def _say(line: msgspec.Struct) -> None:
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
