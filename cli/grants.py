"""`bin/photolog grants`: whom streams are opened for, to what, and until when."""

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from gateway.streams.filters import PUBLIC, types_named
from gateway.streams.grants import GrantKeeper, over
from gateway.vault.grants import CassandraGrants
from gateway.vault.port import GrantRow
from photolog.engines.cassandra_session import CassandraSession
from photolog.errors import Conflict, Invalid, NotFound
from photolog.ids import now_ms
from photolog.settings import key_bytes, load_settings
from photolog.timestamps import rfc3339

T = TypeVar("T")
ALL = "all"
_SECONDS = {"m": 60, "h": 3_600, "d": 86_400}
_LIFETIME = re.compile(r"([1-9][0-9]{0,4})([mhd])")
_LIFETIME_SECONDS_MAX = 366 * 86_400

grants = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich")


class GrantLine(msgspec.Struct, frozen=True, kw_only=True):
    """A grant, as `--json` prints it; instants in RFC 3339."""

    grant_id: str
    name: str
    state: Literal["good", "grant-revoked", "grant-expired"]
    types: tuple[str, ...]
    sample_max: float
    created_at: str
    expires_at: str
    revoked_at: str | None


@grants.callback()
def about() -> None:
    """Open streams for analysts, see for whom they are open, and close them.

    Example: bin/photolog grants list --json
    """


@grants.command()
def create(
    name: Annotated[str, typer.Argument(help="who gets it, for you to know it by")],
    types: Annotated[str, typer.Option(help="event types with commas, or `all` that are public now")],
    expires: Annotated[str, typer.Option(help="how long it is good: a number and m, h or d")] = "30d",
    sample_max: Annotated[float, typer.Option(min=0.000001, max=1.0, help="the largest share of the events")] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="one object")] = False,
) -> None:
    """Make a grant and print its token, which cannot be had a second time.

    Example: bin/photolog grants create "trend lab" --types post.published,post.liked --expires 30d
    """
    wanted, seconds = _types(types), _seconds(expires)
    row, token = _run(lambda keeper: keeper.create(name, wanted, sample_max, seconds))
    if as_json:
        line = msgspec.to_builtins(_line(row)) | {"token": token}
        sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    else:
        sys.stderr.write(f"Grant {row.grant_id}, good until {rfc3339(row.expires_ms)}. Its token, this once:\n")
        sys.stdout.write(token + "\n")


@grants.command("list")
def listed(as_json: Annotated[bool, typer.Option("--json", help="one object a line")] = False) -> None:
    """Show all grants, also those that are over.

    Example: bin/photolog grants list --json
    """
    lines = [_line(row) for row in _run(lambda keeper: keeper.listed())]
    if as_json:
        for line in lines:
            sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
        return
    table = Table("grant", "name", "state", "until", "share", "types", box=None, pad_edge=False)
    for line in lines:
        types = "all" if len(line.types) == len(PUBLIC) else ", ".join(line.types)
        table.add_row(line.grant_id, line.name, line.state, line.expires_at, f"{line.sample_max:g}", types)
    Console().print(table)


@grants.command()
def revoke(grant_id: Annotated[str, typer.Argument(help="as `list` shows it")]) -> None:
    """End a grant for good. Its open subscriptions are closed within seconds.

    Example: bin/photolog grants revoke 0011223344556677
    """
    if not _run(lambda keeper: keeper.revoke(grant_id)):
        raise NotFound("not-found", f"there is no grant {grant_id}")
    sys.stderr.write(f"Grant {grant_id} is revoked.\n")


def _types(text: str) -> tuple[str, ...]:
    try:
        return tuple(PUBLIC) if text.strip() == ALL else types_named(text)
    except Invalid as error:
        raise Conflict(error.kind, f"{error.detail}; there are {', '.join(PUBLIC)}") from error


def _seconds(text: str) -> int:
    found = _LIFETIME.fullmatch(text)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 0 < seconds <= _LIFETIME_SECONDS_MAX:
        raise typer.BadParameter("a number and m, h or d, such as 30d; a year at most", param_hint="--expires")
    return seconds


def _line(row: GrantRow) -> GrantLine:
    return GrantLine(
        grant_id=row.grant_id,
        name=row.name,
        state=over(row, now_ms()) or "good",
        types=row.types,
        sample_max=row.sample_max,
        created_at=rfc3339(row.created_ms),
        expires_at=rfc3339(row.expires_ms),
        revoked_at=None if row.revoked_ms is None else rfc3339(row.revoked_ms),
    )


def _run(work: Callable[[GrantKeeper], Awaitable[T]]) -> T:
    async def connected() -> T:
        settings = load_settings()
        session = await CassandraSession.connect(settings.cassandra)
        try:
            key = key_bytes(settings.secrets.access_token_key)
            return await work(GrantKeeper(CassandraGrants(session), key, now_ms))
        finally:
            await session.close()

    return asyncio.run(connected())
