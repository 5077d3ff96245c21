"""What the demo says in the end."""

from collections.abc import Sequence
from statistics import quantiles

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from cli.demo_checking import Checked
from cli.demo_life import PASSWORD, Lived
from cli.demo_stages import Stage
from cli.demo_world import CELEBRITY, PRIVATE_PERSON, World
from photolog.client.views import Post

FEED_ROWS = 12
FAILURES_SHOWN = 5


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """How long posts took to a follower's feed, milliseconds."""

    kind: str
    of: str
    samples: int
    p50_ms: float
    p99_ms: float


def latencies(lived: Lived) -> list[Latency]:
    """Of the posts that were watched: from `post.published`, and from the POST, variants included."""
    measured = {
        "post.published to a follower's feed": [arrival.from_published_ms for arrival in lived.arrivals],
        "POST to a follower's feed": [arrival.from_post_ms for arrival in lived.arrivals],
    }
    return [_latency(of, samples) for of, samples in measured.items() if samples]


def _latency(of: str, samples: Sequence[int]) -> Latency:
    cuts = quantiles(samples, n=100, method="inclusive") if len(samples) > 1 else [float(samples[0])] * 99
    return Latency(kind="latency", of=of, samples=len(samples), p50_ms=round(cuts[49], 1), p99_ms=round(cuts[98], 1))


def print_json(stages: Sequence[Stage], measured: Sequence[Latency], checks: Sequence[Checked]) -> None:
    """One object a line."""
    for stage in stages:
        _line({"kind": "stage", "title": stage.title, "count": stage.count, "seconds": round(stage.seconds, 2)})
    for latency in measured:
        _line(latency)
    for check in checks:
        _line({"kind": "check", "title": check.title, "count": check.count, "failures": check.failures})
    _line({"kind": "end", "checks": len(checks), "failed": sum(bool(check.failures) for check in checks)})


def print_summary(
    console: Console, world: World, lived: Lived, measured: Sequence[Latency], checks: Sequence[Checked]
) -> None:
    """What was done, how fast it was, and whether all is as it must be."""
    fans = sum(followee == CELEBRITY for _, followee in world.follows)
    photographs = sum(len(post.photographs) for post in world.posts)
    console.print(
        f"\n{len(world.people)} people, {len(world.follows):,} followings ({fans} of them of "
        f"@{world.people[CELEBRITY].username}), {len(world.posts)} posts of {photographs} photographs "
        f"({lived.bytes_uploaded / 1e6:.0f} MB), {len(world.likes)} likes, {len(world.comments)} comments."
    )
    for latency in measured:
        console.print(
            f"{latency.of}: p50 {latency.p50_ms:,.0f} ms, p99 {latency.p99_ms:,.0f} ms ({latency.samples} posts)"
        )
    table = Table("expectation", "checked", "", title="What must be so", title_justify="left")
    for check in checks:
        mark = f"[red]{len(check.failures)} wrong[/red]" if check.failures else "[green]✓[/green]"
        table.add_row(check.title, str(check.count), mark)
    console.print(table)
    for failure in [failure for check in checks for failure in check.failures[:FAILURES_SHOWN]]:
        console.print(f"[red]✗[/red] {failure}", markup=True, highlight=False)


def print_feed(console: Console, username: str, posts: Sequence[Post]) -> None:
    """The first posts of someone's feed."""
    table = Table(title=f"The feed of @{username}", title_justify="left")
    for name in ("at", "from"):
        table.add_column(name, no_wrap=True)
    table.add_column("caption", no_wrap=True, overflow="ellipsis", ratio=1)
    for name in ("photographs", "♥", "💬"):
        table.add_column(name, no_wrap=True, justify="right")
    for post in posts[:FEED_ROWS]:
        at = post.published_at.strftime("%H:%M:%S") if post.published_at else ""
        first, more = post.photographs[0], len(post.photographs) - 1
        size = f"{first.width}×{first.height}" + (f" +{more}" if more else "")
        counts = (str(post.counts.likes), str(post.counts.comments))
        table.add_row(at, f"@{post.author.username}", post.caption or "", size, *counts)
    console.print(table)


def print_addresses(
    console: Console, address: str, world: World, token: str, posts: Sequence[Post], more: Sequence[str]
) -> None:
    """Things to try while the stack is up; `more` are further lines of the kind."""
    reader = world.people[PRIVATE_PERSON + 1].username
    lines = [
        f"TOKEN={token}",
        f"curl -s -H \"Authorization: Bearer $TOKEN\" '{address}/v1/feed?limit=3'",
        f"curl -s {address}/v1/accounts/by-username/{world.people[CELEBRITY].username}",
    ]
    if posts and posts[0].photographs:
        variant = next(iter(posts[0].photographs[0].variants.values()), "")
        lines.append(f'curl -sL -H "Authorization: Bearer $TOKEN" {address}{variant} -o photograph')
    lines += [
        *more,
        f"curl -s {address}/openapi.json",
        f"bin/photolog upload YOUR.jpg --username {reader} --password '{PASSWORD}' --wait",
    ]
    console.print(f"\nTo try, as @{reader} (the token is good for some minutes; log in for another):")
    for line in lines:
        console.print(line, soft_wrap=True, markup=False, highlight=False)
    console.print(
        f"Everyone's password is '{PASSWORD}'. For a new token: curl -s {address}/v1/sessions "
        f'-H \'Content-Type: application/json\' -d \'{{"username":"{reader}","password":"{PASSWORD}"}}\'',
        soft_wrap=True,
        markup=False,
        highlight=False,
    )


def _line(value: object) -> None:
    typer.echo(msgspec.json.encode(value).decode())
