"""`photolog feed-at`: a person's home feed as it stood at a time."""

import asyncio
import sys
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from cli.log_options import TIME_HELP, moment_ms, plain
from cli.reading_progress import ReadingProgress
from gateway.signup import folded_username
from lineage.bootstrap import LookingBack, connect
from lineage.past_feed import LIMIT_MAX, PastFeed, PastPost, feed_at
from photolog.errors import NotFound, Refusal
from photolog.library_logs import quieten
from photolog.settings import Settings, load_settings
from photolog.timestamps import rfc3339

_ID_MAX = (1 << 63) - 1


class PostLine(msgspec.Struct, frozen=True, kw_only=True):
    """A post of the feed, as `--json` prints it. What is personal is null once its owner's key is gone."""

    post_id: str
    author_id: str
    author: str | None
    published_at: str
    caption: str | None
    hashtags: list[str]


def feed_of_then(
    user: Annotated[str, typer.Argument(help="Whose feed: an account's id, or a user name (@123 for one of digits).")],
    time: Annotated[str, typer.Argument(help=f"When. {TIME_HELP}")],
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="How many posts.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
) -> None:
    """Show a person's feed as it stood: whom they followed then, what was published by then and not yet deleted, by the
    blocks, mutes, privacy and suspensions of then.

    It is worked out from the log. Personal fields are shown as far as their owners' keys are still there: whoever sees
    the output sees personal data.
    """
    at_ms = moment_ms(time, "TIME")
    settings = load_settings()
    quieten("cassandra", "httpx", "librdkafka")
    feed = asyncio.run(_feed(settings, user, at_ms, limit))
    if as_json:
        for one in feed.posts:
            sys.stdout.write(msgspec.json.encode(_line(one)).decode() + "\n")
    else:
        _print(feed)


async def _feed(settings: Settings, user: str, at_ms: int, limit: int) -> PastFeed:
    progress = ReadingProgress()
    with progress.shown():
        async with connect(settings, progress, open_personal=True) as back:
            return await feed_at(back.log, back.opening, await _account_id(back, user), at_ms, limit)


async def _account_id(back: LookingBack, user: str) -> int:
    """Whose id or present user name it is. Raises NotFound for a name that nobody has."""
    if user.isascii() and user.isdecimal() and int(user) <= _ID_MAX:
        return int(user)
    try:
        row = await back.usernames.get(folded_username(user.removeprefix("@")))
    except Refusal as error:
        raise typer.BadParameter(error.detail, param_hint="USER") from error
    if row is None:
        raise NotFound("not-found", f"nobody has the user name {plain(user)} now; give the account's id")
    return row.account_id


def _line(one: PastPost) -> PostLine:
    return PostLine(
        post_id=str(one.post.post_id),
        author_id=str(one.post.owner_id),
        author=one.author.username,
        published_at=rfc3339(one.post.published_ms or 0),
        caption=one.post.caption,
        hashtags=one.post.hashtags,
    )


def _print(feed: PastFeed) -> None:
    table = Table("published", "post", "author", "caption", box=None, pad_edge=False)
    for one in feed.posts:
        line = _line(one)
        cells = (line.published_at, line.post_id, line.author or line.author_id, line.caption or "")
        table.add_row(*(plain(cell) for cell in cells))
    console = Console(markup=False)
    console.print(table)
    suspended = ", suspended" if feed.viewer.suspended else ""
    name = plain(feed.viewer.username or str(feed.viewer.account_id))
    console.print(f"{name}{suspended}, following {feed.followed}, at {rfc3339(feed.at_ms)}")
