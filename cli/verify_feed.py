"""`bin/photolog verify feed`: people's feeds as the caches make them, compared with what the rows make of them."""

import asyncio
import sys
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from cli.generation_desk import quiet_settings, row_counter
from gateway.bootstrap import connect
from gateway.feed_proof import CardDifference, FeedProof, FeedVerdict
from photolog.engines.redis_client import connect_redis
from projections.stores.redis_feeds import RedisTimelines


class CardLine(msgspec.Struct, frozen=True, kw_only=True):
    """A card that differs, as `--json` prints it; null where it is not on the page."""

    account: str
    post: str
    cached: Any
    rows: Any


class FeedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification of the feed found, the last line of `--json`."""

    projection: str
    feeds: int
    cards: int
    digest: str
    rows_digest: str
    differences: int


def verify_feed(as_json: bool) -> bool:
    """Compare every feed that there is a timeline for; whether all are the same."""
    verdict = asyncio.run(_verdict())
    if as_json:
        for difference in verdict.shown:
            sys.stdout.write(msgspec.json.encode(_line(difference)).decode() + "\n")
        sys.stdout.write(msgspec.json.encode(_summary(verdict)).decode() + "\n")
    else:
        _print(verdict)
    return not verdict.differences


async def _verdict() -> FeedVerdict:
    settings = quiet_settings()
    async with connect(settings) as wired:
        redis, limits = connect_redis(settings.redis), settings.limits
        try:
            timelines = RedisTimelines(redis, limits.timeline_entries, limits.timeline_seconds * 1_000)
            with row_counter(Console(stderr=True), "comparing feeds") as counter:
                return await FeedProof(wired.services).verdict(timelines.account_ids(), counter)
        finally:
            await redis.aclose()


def _line(difference: CardDifference) -> CardLine:
    account = str(difference.account_id)
    return CardLine(account=account, post=difference.post_id, cached=difference.cached, rows=difference.rows)


def _summary(verdict: FeedVerdict) -> FeedLine:
    return FeedLine(
        projection="feed",
        feeds=verdict.feeds,
        cards=verdict.cached.rows,
        digest=str(verdict.cached),
        rows_digest=str(verdict.rows),
        differences=verdict.differences,
    )


def _print(verdict: FeedVerdict) -> None:
    console = Console(highlight=False)
    if verdict.shown:
        table = Table("account", "post", "as the caches make it", "as the rows make it", title="cards that differ")
        for found in verdict.shown:
            told = (msgspec.json.encode(card).decode() if card else "absent" for card in (found.cached, found.rows))
            table.add_row(str(found.account_id), found.post_id, *told)
        console.print(table)
    console.print(f"{verdict.feeds} feeds, {verdict.cached.rows} cards")
    console.print(f"caches: digest {verdict.cached}")
    console.print(f"rows:   digest {verdict.rows}")
    if verdict.differences:
        console.print(f"[red]{verdict.differences} cards differ[/red]")
    else:
        console.print("[green]every card is the same[/green]")
