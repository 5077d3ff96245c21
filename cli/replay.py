"""`photolog replay`: append records again, unchanged, into another topic."""

import asyncio
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from cli.log_options import TIME_HELP, event_types, moment_ms, offsets
from cli.replay_progress import ReplayProgress
from photolog.engines.cassandra_session import CassandraSession
from photolog.errors import Conflict, NotFound
from photolog.library_logs import quieten
from photolog.log.admin import TopicWanted, create_topics
from photolog.log.bulk import BulkProducer
from photolog.log.growth import History
from photolog.log.growths import CassandraGrowths
from photolog.log.inspection import TopicState, topic_states
from photolog.log.replaying import Pace, Plan, Replaying, Tally
from photolog.log.selection import Selection
from photolog.log.slices import Slice, SliceReader
from photolog.settings import Settings, load_settings
from projections.fold import REMEMBERED_MS
from schemas.registry import load_serde
from schemas.topics import TOPICS
from schemas.viewing import Viewer

_RUN = re.compile(r"[A-Za-z0-9._-]{0,64}")
_OURS = frozenset(name for topic in TOPICS for name in (topic.name, topic.dead_letters))
_DAYS = REMEMBERED_MS // 86_400_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be appended again.

    Args:
        source: the topic to read.
        target: the topic to append to.
        selection: which records.
        begins: the offset to begin with in each partition; those without one are not read. None for all.
        run: the replay's name.
        rate: records a second; None for as fast as it goes.
        create: whether to create the target.
        dry_run: whether to count only.
    """

    source: str
    target: str
    selection: Selection
    begins: Mapping[int, int] | None
    run: str
    rate: int | None
    create: bool
    dry_run: bool


class ReplayLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay did, as `--json` prints it; the numbers are those of `photolog.log.replaying.Tally`."""

    topic: str
    into: str
    dry_run: bool
    finished: bool
    read: int
    there: int
    repeats: int
    appended: int
    types: dict[str, int]


def replay(
    topic: Annotated[str, typer.Argument(help="The topic to read.")],
    into: Annotated[str, typer.Option(help="The topic to append to.")],
    begin: Annotated[
        str | None,
        typer.Option(
            "--from", help=f"{TIME_HELP} Or offsets, such as 0@1200,2@900: partitions that are not named are not read."
        ),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Only what happened before. A time, as --from.")] = None,
    event_type: Annotated[
        list[str] | None, typer.Option("--type", help="Only this event type; may be given again for others.")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="Only this partition key; may be given again for others.")
    ] = None,
    rate: Annotated[int | None, typer.Option(min=1, max=10_000_000, help="At most so many records a second.")] = None,
    run: Annotated[
        str, typer.Option(help="A name for this replay: what others appended does not count as there.")
    ] = "",
    create: Annotated[
        bool, typer.Option("--create", help="Create the target with the partitions and the retention of TOPIC.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Append to a topic that jobs read.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would be appended, and append nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One object.")] = False,
) -> None:
    """Append records again: the same bytes, key, headers and time, and a header that says where each came from.

    Interrupted anywhere, the same command goes on: what is there already is found in the target itself.
    """
    begins = offsets(begin, topic, "--from")
    if not _RUN.fullmatch(run):
        raise typer.BadParameter("letters, digits, dots, dashes and underscores, at most 64", param_hint="--run")
    selection = Selection(
        since_ms=None if begins is not None else moment_ms(begin, "--from"),
        until_ms=moment_ms(end, "--to"),
        types=event_types(event_type, "--type"),
        keys=frozenset(one.encode() for one in key or ()),
        untyped=False,
    )
    refuse_unless_forced(topic, into, force)
    settings = load_settings()
    quieten("cassandra", "httpx", "librdkafka")
    asked = Asked(topic, into, selection, begins, run, rate, create, dry_run)
    progress = ReplayProgress(Console(stderr=True))
    try:
        asyncio.run(_run(settings, asked, progress))
    except KeyboardInterrupt:
        _tell(asked, progress.tally, finished=False, as_json=as_json)
        raise typer.Exit(130) from None
    _tell(asked, progress.tally, finished=True, as_json=as_json)


def refuse_unless_forced(source: str, target: str, force: bool) -> None:
    """Keep a replay away from what jobs read.

    Raises:
        Conflict: the target is the source, or one of our topics.
    """
    if force or (target != source and target not in _OURS):
        return
    which = "the topic itself" if target == source else f"{target}, which is one of ours"
    raise Conflict(
        "live-topic",
        f"--into is {which}. Whoever reads it knows an event again by its id for {_DAYS} days only: an older one is "
        "applied once more, over all that has happened since, such as a like that was taken back. --force appends all "
        "the same.",
    )


async def _run(settings: Settings, asked: Asked, progress: ReplayProgress) -> None:
    states = await asyncio.to_thread(topic_states, settings.kafka, {asked.source, asked.target})
    source = states.get(asked.source)
    if source is None:
        raise NotFound("no-such-topic", f"Kafka has no topic {asked.source}")
    target = states.get(asked.target)
    if target is None and not asked.create:
        raise NotFound(
            "no-such-topic",
            f"Kafka has no topic {asked.target}: --create makes it, with the {source.partitions} partitions of "
            f"{asked.source}",
        )
    async with AsyncExitStack() as closing:
        growths = await _growths(settings, asked)
        reader = await closing.enter_async_context(SliceReader(settings.kafka))
        slices = await _slices(reader, asked)
        there = await reader.whole(asked.target) if target else []
        if target is None and not asked.dry_run:
            wanted = TopicWanted(asked.target, source.retention_ms, source.partitions)
            await asyncio.to_thread(create_topics, settings.kafka, [wanted])
        plan = _plan(asked, slices, growths, source, target or source)
        viewer = Viewer(await asyncio.to_thread(load_serde, settings.registry)) if asked.selection.types else None
        appender = None if asked.dry_run else BulkProducer(settings.kafka)
        replaying = Replaying(
            reader, appender, plan, viewer.type_of if viewer else lambda _: None, progress.report, Pace(asked.rate)
        )
        with progress.shown(_size(there), _size(slices), replaying.tally):
            await replaying.run(there)


def _plan(
    asked: Asked, slices: Sequence[Slice], growths: Mapping[str, History], source: TopicState, target: TopicState
) -> Plan:
    """A key of a topic that grew may have changed its partition, and is put where it is now."""
    return Plan(
        slices=slices,
        history=growths[asked.source],
        target=asked.target,
        partitions=target.partitions,
        keeps_partition=source.partitions == target.partitions and not any(growths.values()),
        selection=asked.selection,
        run=asked.run,
    )


async def _growths(settings: Settings, asked: Asked) -> dict[str, History]:
    """The growths of both topics; only ours are grown by `grow`, which writes them down."""
    found: dict[str, History] = {asked.source: (), asked.target: ()}
    if not _OURS.intersection(found):
        return found
    session = await CassandraSession.connect(settings.cassandra)
    try:
        return {topic: await CassandraGrowths(session).of(topic) for topic in found}
    finally:
        await session.close()


async def _slices(reader: SliceReader, asked: Asked) -> list[Slice]:
    slices = await reader.whole(asked.source)
    if asked.begins is not None:
        if unknown := asked.begins.keys() - {one.partition for one in slices}:
            raise NotFound("no-such-partition", f"{asked.source} has no partition {min(unknown)}", "--from")
        begins = asked.begins
        return [one.begun_at(begins[one.partition]) for one in slices if one.partition in begins]
    if asked.selection.since_ms is not None:
        return await reader.since(slices, asked.selection.since_ms)
    return slices


def _size(slices: Sequence[Slice]) -> int:
    return sum((one.end or 0) - one.begin for one in slices)


def _tell(asked: Asked, tally: Tally, *, finished: bool, as_json: bool) -> None:
    if as_json:
        line = ReplayLine(
            topic=asked.source, into=asked.target, dry_run=asked.dry_run, finished=finished, read=tally.read,
            there=tally.there, repeats=tally.repeats, appended=tally.appended, types=dict(tally.types),
        )  # fmt: skip
        sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
        return
    console = Console(highlight=False, soft_wrap=True)
    if not finished:
        console.print("Interrupted; the same command goes on.")
    console.print(f"{asked.source} into {asked.target}: {_sentence(tally, asked.dry_run)}", markup=False)
    for event_type, count in sorted(tally.types.items()):
        console.print(f"  {event_type}: {count}", markup=False)


def _sentence(tally: Tally, dry_run: bool) -> str:
    were = "would be" if dry_run else "were"
    repeats = f", {tally.repeats} are repeats themselves" if tally.repeats else ""
    return (
        f"of {tally.read} records that were read, {tally.there} were there already{repeats}, {tally.appended} {were} "
        "appended."
    )
