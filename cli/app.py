"""The command line's table, and the group that imports a command's module only when that command is used."""

import importlib
import importlib.util
import logging
import sys
from dataclasses import dataclass
from typing import Any

import structlog
import typer
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

from infra.local.environment import use_local_environment
from infra.local.home import default_home
from photolog.errors import PhotologError


@dataclass(frozen=True)
class Entry:
    """A command, described without importing it.

    Args:
        target: `module:function`, or a module's `typer.Typer` for a command with commands of its own; while no such
            module exists, there is no such command.
        summary: one line for the list of commands.
        example: a command line that works, and what it does.
        passes_arguments: whether options that it does not declare are left to it.
    """

    target: str
    summary: str
    example: str
    passes_arguments: bool = False

    @property
    def module(self) -> str:
        """The module that holds the function."""
        return self.target.partition(":")[0]


COMMANDS: dict[str, Entry] = {
    "demo": Entry(
        "cli.demo:demo",
        "Set everything up, boot it and live a small world through the public API.",
        "bin/photolog demo --exit    # the same, and end instead of staying up",
    ),
    "up": Entry(
        "cli.up:up",
        "Boot the engines, the jobs and the gateway on this machine.",
        "bin/photolog up --detach    # return when all is ready; `down` ends it",
    ),
    "down": Entry(
        "cli.down:down", "Stop what `up` started.", "bin/photolog down --wipe    # and remove all data that was stored"
    ),
    "status": Entry(
        "cli.status:status",
        "Show each engine and job: pid, port, ready, restarts, memory, lag.",
        "bin/photolog status --json    # one object a line",
    ),
    "test": Entry(
        "cli.test:run_tests",
        "Run the linters and all tests, real engines included.",
        "bin/photolog test tests/unit -k snowflake    # pytest's own arguments: only pytest runs",
        passes_arguments=True,
    ),
    "upload": Entry(
        "cli.upload:upload",
        "Upload a photograph, a video or a voice note through the public API.",
        "bin/photolog upload holiday.heic --wait    # until its variants are ready",
    ),
    "bench": Entry(
        "cli.bench:bench",
        "Measure against honest opponents in the same run.",
        "bin/photolog bench decode --json    # one benchmark, one object a line",
    ),
    "migrate": Entry(
        "cli.migrate:migrate",
        "Create topics, tables, schemas and the bucket where they are missing.",
        "PHOTOLOG_ENV_FILE=production.env bin/photolog migrate",
    ),
    "grow": Entry(
        "cli.grow:grow",
        "Give a topic more partitions without losing the order of any key.",
        "bin/photolog grow likes --partitions 8 --dry-run    # say what would be done",
    ),
    "projections": Entry(
        "cli.projections:projections",
        "Show every projection: generations, positions, lag, rows, digest, and what became of its records.",
        "bin/photolog projections --json    # one object a line",
    ),
    "rebuild": Entry(
        "cli.rebuild:rebuild",
        "Fold the log into a new generation of a projection while traffic goes on.",
        "bin/photolog rebuild likes --workers 2    # stopped, the same words go on where it was",
    ),
    "verify": Entry(
        "cli.verify:verify",
        "Compare a generation with the live one, row by row.",
        "bin/photolog verify likes    # exit status 1 where a row differs",
    ),
    "swap": Entry(
        "cli.swap:swap",
        "Show the generation that was built.",
        "bin/photolog swap likes    # refused where it lags, or differs in a way that nobody accepted",
    ),
    "rollback": Entry(
        "cli.rollback:rollback", "Show the generation before again.", "bin/photolog rollback likes    # nothing is lost"
    ),
    "prune": Entry(
        "cli.prune:prune",
        "Give up every generation of a projection but the live one.",
        "bin/photolog prune likes    # and remove its tables",
    ),
    "positions": Entry(
        "cli.positions:positions",
        "Show how far each read model has come in each partition, and where the log ends.",
        "bin/photolog positions --json    # one object a line",
    ),
    "topics": Entry(
        "cli.topics:topics",
        "Show every topic: what it carries, how it is keyed, and what it holds.",
        "bin/photolog topics --json    # one object a line",
    ),
    "tail": Entry(
        "cli.tail:tail",
        "Show the events of a topic, decoded, up to its end or as they come.",
        "bin/photolog tail posts --since 2h --type post.created --format json    # one object a line",
    ),
    "replay": Entry(
        "cli.replay:replay",
        "Append records again, unchanged, into another topic.",
        "bin/photolog replay likes --into likes.copy --create --from 7d --dry-run    # count what would be appended",
    ),
    "backup": Entry(
        "cli.backup:backup",
        "Copy the log and what lives outside it to a folder or a bucket, or check such a copy.",
        "bin/photolog backup s3://vault/photolog    # again every night: only what is new is copied of the log",
    ),
    "restore": Entry(
        "cli.restore:restore",
        "Make an empty system what it was when it was backed up.",
        "bin/photolog restore s3://vault/photolog --erased since.txt    # these accounts were erased since",
    ),
    "schemas": Entry(
        "cli.schemas:schemas",
        "List the events' schemas, show one, or check a changed one.",
        "bin/photolog schemas check schemas/avro/posts/PostCreated.avsc    # does it fit every version of before?",
    ),
    "lineage": Entry(
        "cli.lineage:lineage",
        "Show what an event led to, down to the rows, or what made a row what it is.",
        "bin/photolog lineage --row posts:7309342343    # the events that made this post",
    ),
    "feed-at": Entry(
        "cli.feed_at:feed_of_then",
        "Show somebody's feed as it stood at a time.",
        "bin/photolog feed-at ansel 2h    # two hours ago",
    ),
    "export": Entry(
        "cli.export:export",
        "Write the log to Parquet files in the bucket, each event once, by type and hour.",
        "bin/photolog export --types post.published,post.liked    # run again, it goes on where it was",
    ),
    "query": Entry(
        "cli.query:query",
        "Run SQL over what is public: exported files and the log since.",
        "bin/photolog query 'SELECT hour(time) AS hour, count(*) AS likes FROM post_liked GROUP BY 1' --since 7d",
    ),
    "dlq": Entry(
        "cli.dlq:app",
        "Look at dead letters, append them again, or give them up.",
        "bin/photolog dlq ls --topic likes    # what could not be processed, and what waits behind it",
    ),
    "settings": Entry(
        "cli.settings:settings",
        "List every setting: key, default, meaning.",
        "bin/photolog settings --json    # one object a line",
    ),
    "gateway": Entry(
        "cli.gateway:gateway",
        "Serve the HTTP API in the foreground.",
        "PHOTOLOG_ENV_FILE=production.env bin/photolog gateway",
    ),
    "edge": Entry(
        "cli.edge:edge",
        "Serve pictures made to measure, and stored files.",
        "PHOTOLOG_ENV_FILE=production.env bin/photolog edge",
    ),
    "purge-worker": Entry(
        "cli.purge_worker:purge_worker",
        "Tell the caches before the edge what is public no more.",
        "PHOTOLOG_ENV_FILE=production.env bin/photolog purge-worker",
    ),
    "worker": Entry(
        "cli.worker:worker",
        "Run one Faust worker in the foreground.",
        "PHOTOLOG_ENV_FILE=production.env bin/photolog worker --index 0",
    ),
    "transcode-worker": Entry(
        "cli.transcode_worker:transcode_worker",
        "Make the variants of uploaded photographs, videos and voice notes, in the foreground.",
        "PHOTOLOG_ENV_FILE=production.env bin/photolog transcode-worker",
    ),
    "moderation-worker": Entry(
        "cli.moderation_worker:moderation_worker",
        "Judge photographs and videos before they are published, in the foreground.",
        "PHOTOLOG_ENV_FILE=production.env bin/photolog moderation-worker",
    ),
    "leaving-worker": Entry(
        "cli.leaving_worker:leaving_worker",
        "Erase the accounts that left and build the exports that were asked for.",
        "PHOTOLOG_ENV_FILE=production.env bin/photolog leaving-worker",
    ),
    "keeper-worker": Entry(
        "cli.keeper_worker:keeper_worker",
        "Remove refused uploads, collect what nothing holds, and archive stories.",
        "PHOTOLOG_ENV_FILE=production.env bin/photolog keeper-worker",
    ),
    "flink-worker": Entry(
        "cli.flink_worker:flink_worker",
        "Keep the jobs over windows of event time running on their Flink cluster.",
        "PHOTOLOG_ENV_FILE=production.env bin/photolog flink-worker",
    ),
    "flink": Entry(
        "cli.flink:flink",
        "Look at the jobs over windows of event time, save their state, go on from it.",
        "bin/photolog flink restore trending    # from the newest savepoint or checkpoint",
    ),
    "erasure-scan": Entry(
        "cli.erasure_scan:erasure_scan",
        "Prove that nothing of an erased account is left.",
        "bin/photolog erasure-scan 7309342343 --word ansel    # and that nowhere is this word",
    ),
    "operator-token": Entry(
        "cli.operator_token:operator_token",
        "Print a short-lived token for operators' requests.",
        'curl -H "Authorization: Bearer $(bin/photolog operator-token)" …',
    ),
    "moderation": Entry(
        "cli.moderation:moderation",
        "See what waits for an operator, decide about it, take posts and stories down and block contents.",
        "bin/photolog moderation takedown 7309342343 --rule violence    # everywhere, and for good",
    ),
    "grants": Entry(
        "cli.grants:grants",
        "Open streams for analysts, list for whom they are open, and close them.",
        'bin/photolog grants create "trend lab" --types post.published,post.liked --expires 30d',
    ),
}


class LazyCommand(TyperCommand):
    """Stands in the list for a command whose module is not imported yet, and hands over to it when it is used."""

    def __init__(self, name: str, entry: Entry) -> None:
        super().__init__(name, help=entry.summary, rich_markup_mode="rich")
        self._entry = entry

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Import the command and let it read the arguments."""
        return self._load().make_context(info_name, args, parent=parent, **extra)

    def _load(self) -> Any:
        module, _, function = self._entry.target.partition(":")
        callback = getattr(importlib.import_module(module), function)
        if isinstance(callback, typer.Typer):
            # A command with commands of its own.
            return typer.main.get_command(callback)
        application = typer.Typer(add_completion=False, rich_markup_mode="rich")
        application.command(
            self.name,
            epilog=f"Example: [bold]{escape(self._entry.example)}[/bold]",
            context_settings={"ignore_unknown_options": self._entry.passes_arguments},
        )(callback)
        return typer.main.get_command(application)


class LazyGroup(TyperGroup):
    """Lists the table's commands that exist."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, in the table's order."""
        return [name for name, entry in COMMANDS.items() if importlib.util.find_spec(entry.module) is not None]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, not imported yet; None if there is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        return LazyCommand(cmd_name, COMMANDS[cmd_name])


app = typer.Typer(
    cls=LazyGroup,
    name="photolog",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    epilog="Example: [bold]bin/photolog demo[/bold]    # the quickest way to see all of it",
)


@app.callback()
def root() -> None:
    """A photo and video network kept as one log."""
    use_local_environment(default_home())
    # What a command prints is for programs as well; processes that go on set up logs of their own.
    structlog.configure(
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )


def main() -> None:
    """Run the command line; an error of ours is a message and exit status 1, never a traceback."""
    try:
        app(prog_name="bin/photolog")
    except PhotologError as error:
        print(f"photolog: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
