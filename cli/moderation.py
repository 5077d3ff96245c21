"""`bin/photolog moderation`: what waits for an operator, and what operators do about media and posts."""

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from cli.operator_token import minted
from photolog.client.moderation import Moderator, TakenDown, WaitingMedia, connect_moderator
from photolog.errors import Invalid
from photolog.settings import load_settings
from schemas.events import HouseRule

T = TypeVar("T")
_SECONDS = 600
Note = Annotated[str, typer.Option(help="for other operators; kept in the log for ever: no personal data")]
Rule = Annotated[HouseRule, typer.Option(help="the house rule that is broken")]
AsJson = Annotated[bool, typer.Option("--json", help="one object a line")]
MediaId = Annotated[str, typer.Argument(help="of a photograph or a video, as `queue` shows it")]

moderation = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich")


@moderation.callback()
def about() -> None:
    """See what waits for an operator, decide about it, take posts and stories down, block contents, and bar hashtags.

    It speaks to the gateway of the settings, with a token for the user here. What is decided is kept in the log with
    that name.

    Example: bin/photolog moderation queue --json
    """


@moderation.command()
def queue(as_json: AsJson = False) -> None:
    """Show the media that waits for a decision, the oldest first.

    Example: bin/photolog moderation queue --json
    """
    waiting = _run(_waiting)
    if as_json:
        for one in waiting:
            _print(one)
        return
    table = Table("media", "owner", "kind", "since", "classifier", "reason", "picture", box=None, pad_edge=False)
    for one in waiting:
        table.add_row(one.id, one.owner_id, one.kind, one.waiting_since, one.classifier, one.reason, one.picture or "–")
    Console().print(table)


@moderation.command()
def allow(media_id: MediaId, note: Note = "", as_json: AsJson = False) -> None:
    """Let media be published; a post that waits for it goes out.

    Example: bin/photolog moderation allow 7309342343
    """
    _say(_run(lambda moderator: moderator.allow(media_id, note)), f"Media {media_id} may be published.", as_json)


@moderation.command()
def refuse(media_id: MediaId, rule: Rule, note: Note = "", as_json: AsJson = False) -> None:
    """Keep media from being published; a post that waits for it is rejected.

    Example: bin/photolog moderation refuse 7309342343 --rule nudity
    """
    done = _run(lambda moderator: moderator.refuse(media_id, rule, note))
    _say(done, f"Media {media_id} is refused: {rule}.", as_json)


@moderation.command()
def takedown(
    post_id: Annotated[str, typer.Argument(help="of the post")], rule: Rule, note: Note = "", as_json: AsJson = False
) -> None:
    """Take a post down everywhere, with whatever else shows the same, and block that from being uploaded again.

    Example: bin/photolog moderation takedown 7309342343 --rule violence
    """
    _say_down(_run(lambda moderator: moderator.take_down(post_id, rule, note)), as_json)


@moderation.command()
def takedown_story(
    story_id: Annotated[str, typer.Argument(help="of the story")], rule: Rule, note: Note = "", as_json: AsJson = False
) -> None:
    """Take a story down, from its owner's archive and highlights too, as `takedown` does a post.

    Example: bin/photolog moderation takedown-story 7309342343 --rule violence
    """
    _say_down(_run(lambda moderator: moderator.take_down_story(story_id, rule, note)), as_json)


@moderation.command()
def reinstate(media_id: MediaId, as_json: AsJson = False) -> None:
    """Take the takedown of media back; its posts and stories stay gone.

    Example: bin/photolog moderation reinstate 7309342343
    """
    _say(_run(lambda moderator: moderator.reinstate(media_id)), f"Media {media_id} may be published again.", as_json)


@moderation.command()
def block(
    rule: Rule,
    media: Annotated[str, typer.Option(help="by a photograph or a video that was uploaded")] = "",
    digest: Annotated[str, typer.Option(help="by its digest, as `queue --json` shows it")] = "",
    sha256: Annotated[str, typer.Option(help="by the SHA-256 of its file, 64 hexadecimal digits")] = "",
    phash: Annotated[str, typer.Option(help="with one of these: a photograph's perceptual hash, 16 digits")] = "",
    note: Note = "",
    as_json: AsJson = False,
) -> None:
    """Keep a content from being uploaded. What is published of it stays; take that down.

    Example: bin/photolog moderation block --media 7309342343 --rule spam
    """
    given = {"media_id": media, "digest": digest, "sha256": sha256, "phash": phash}
    content = {name: value for name, value in given.items() if value}
    if len(content.keys() - {"phash"}) != 1:
        raise Invalid("misplaced-content", "give one of --media, --digest and --sha256")
    done = _run(lambda moderator: moderator.block(rule, note, **content))
    _say(done, f"{done.digest} is blocked: {rule}.", as_json)


@moderation.command()
def unblock(digest: Annotated[str, typer.Argument(help="of the content")]) -> None:
    """Let a content be uploaded again.

    Example: bin/photolog moderation unblock 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
    """
    _run(lambda moderator: moderator.unblock(digest))
    sys.stderr.write(f"{digest} is blocked no more.\n")


@moderation.command()
def bar(
    hashtag: Annotated[str, typer.Argument(help="with its sign or without it")],
    reason: Annotated[Literal["blocked", "sensitive"], typer.Option(help="why")] = "blocked",
    as_json: AsJson = False,
) -> None:
    """Keep a hashtag out of trends, at once. Posts that have it stay as they are.

    Example: bin/photolog moderation bar sunset --reason sensitive
    """
    done = _run(lambda moderator: moderator.bar_hashtag(hashtag, reason))
    _say(done, f"#{done.hashtag} does not trend: {reason}.", as_json)


@moderation.command()
def unbar(hashtag: Annotated[str, typer.Argument(help="with its sign or without it")]) -> None:
    """Let a hashtag trend again, by what is used from now on.

    Example: bin/photolog moderation unbar sunset
    """
    _run(lambda moderator: moderator.allow_hashtag(hashtag.lstrip("#＃")))
    sys.stderr.write(f"#{hashtag.lstrip('#＃')} may trend again.\n")


@moderation.command()
def hashtags(as_json: AsJson = False) -> None:
    """Show the hashtags that are kept out of trends.

    Example: bin/photolog moderation hashtags --json
    """
    barred = _run(lambda moderator: moderator.barred_hashtags())
    if as_json:
        for one in barred:
            _print(one)
        return
    table = Table("hashtag", "reason", "operator", "since", box=None, pad_edge=False)
    for one in barred:
        table.add_row(one.hashtag, one.reason, one.operator, one.barred_at)
    Console().print(table)


async def _waiting(moderator: Moderator) -> list[WaitingMedia]:
    return [one async for one in moderator.waiting()]


def _say_down(done: TakenDown, as_json: bool) -> None:
    gone = f"{len(done.post_ids)} posts and {len(done.story_ids)} stories are taken down"
    _say(done, f"{gone}, {len(done.blocked)} of {len(done.media_ids)} contents blocked.", as_json)


def _say(done: msgspec.Struct, sentence: str, as_json: bool) -> None:
    if as_json:
        _print(done)
    else:
        sys.stderr.write(sentence + "\n")


def _print(line: msgspec.Struct) -> None:
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")


def _run(work: Callable[[Moderator], Awaitable[T]]) -> T:
    async def connected() -> T:
        settings = load_settings()
        token = minted(settings, getpass.getuser(), _SECONDS)
        async with connect_moderator(settings.gateway.public_url, token, _SECONDS) as moderator:
            return await work(moderator)

    return asyncio.run(connected())
