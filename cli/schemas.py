"""`photolog schemas`: the contract for people to read, and a changed schema held to all that was written before."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from photolog.library_logs import quieten
from photolog.settings import RegistrySettings, load_settings
from schemas.compatibility import SCHEMA_BYTES_MAX, Verdict, event_of, judge, parse_form
from schemas.dictionary import described, fields, schema_named
from schemas.registered import Subject, is_accepted, registered_forms, subjects
from schemas.serde import SCHEMAS, EventSchema
from schemas.versions import Form

AsJson = Annotated[bool, typer.Option("--json", help="One object a line.")]
schemas = typer.Typer(add_completion=False, rich_markup_mode="rich", no_args_is_help=True)


@schemas.callback()
def root() -> None:
    """The events' schemas: list them, show one, or check a changed one.

    Example: bin/photolog schemas show post.created
    """
    quieten("httpx")


@schemas.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the subjects with what the registry says of them.

    Example: bin/photolog schemas list --json
    """
    found = subjects(load_settings().registry)
    if as_json:
        _print_lines(found)
    else:
        Console().print(_subjects_table(found))


@schemas.command()
def show(
    name: Annotated[str, typer.Argument(help="An event type (post.created), a record (PostCreated) or a subject.")],
    as_json: AsJson = False,
) -> None:
    """Show the Avro schema of an event, and what its fields are.

    Example: bin/photolog schemas show post.created
    """
    schema = schema_named(name)
    if as_json:
        _print_lines([_shown(schema)])
        return
    console = Console(highlight=False)
    console.print(f"[bold]{schema.event.type}[/bold] in {schema.topic.name}, subject {schema.subject}")
    if text := described(schema):
        console.print(text, markup=False)
    console.print(_fields_table(schema))
    console.print_json(schema.text)


@schemas.command()
def check(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An .avsc file.")],
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the registry.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say whether a schema fits every version that was ever committed or registered, in both directions.

    Exit status 1 where it does not fit one, with the reasons.

    Example: bin/photolog schemas check schemas/avro/posts/PostCreated.avsc
    """
    with file.open("rb") as opened:
        form = parse_form(opened.read(SCHEMA_BYTES_MAX + 1))
    verdicts = judge(form, []) if offline else _judged(form, load_settings().registry)
    if as_json:
        _print_lines([{"file": str(file), "version": one.version, "fits": not one.reasons, "reasons": one.reasons}
                      for one in verdicts])  # fmt: skip
    else:
        _print_verdicts(form, verdicts)
    raise typer.Exit(1 if any(one.reasons for one in verdicts) else 0)


def _judged(form: Form, settings: RegistrySettings) -> list[Verdict]:
    event = event_of(form)
    if event is None:
        return []
    subject = SCHEMAS[event].subject
    registered = registered_forms(settings, subject)
    verdicts = judge(form, registered)
    if registered:
        accepts = is_accepted(settings, subject, json.dumps(form))
        verdicts.append(Verdict("registry itself", () if accepts else (f"it does not take it into {subject}",)))
    return verdicts


def _print_verdicts(form: Form, verdicts: list[Verdict]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for one in verdicts:
        console.print(f"{one.version}: " + ("[green]fits[/green]" if not one.reasons else "[red]does not fit[/red]"))
        for reason in one.reasons:
            console.print(f"  {reason}", markup=False)
    if not verdicts:
        console.print(
            f"{form['name']} is no event that we have: nothing was written that it could break.", markup=False
        )


def _subjects_table(found: list[Subject]) -> Table:
    table = Table("event", "subject", "id", "version", "compatibility", "sealed fields", box=None, pad_edge=False)
    for one in found:
        version = "not registered" if one.version is None else f"{one.version} of {one.versions}"
        table.add_row(
            one.event,
            one.subject,
            "" if one.schema_id is None else str(one.schema_id),
            version,
            one.compatibility or "the registry's own",
            " ".join(one.personal),
        )
    return table


def _fields_table(schema: EventSchema) -> Table:
    table = Table("field", "type", "default", "personal", "doc", box=None, pad_edge=False)
    for field in fields(schema):
        personal = f"of {field.subject}: {field.plain}" if field.subject else ""
        table.add_row(*(escape(text) for text in (field.name, field.type, field.default or "", personal, field.doc)))
    return table


def _shown(schema: EventSchema) -> dict[str, Any]:
    return {
        "event": schema.event.type,
        "subject": schema.subject,
        "topic": schema.topic.name,
        "doc": described(schema),
        "fields": fields(schema),
        "schema": msgspec.Raw(schema.text.encode()),
    }


def _print_lines(lines: "list[Any]") -> None:
    for line in lines:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(line), indent=-1).decode() + "\n")
