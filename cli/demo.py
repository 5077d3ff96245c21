"""`bin/photolog demo`: everything set up and booted, and a small world living through the public HTTP API."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from cli.demo_checking import Checked
from cli.demo_checks import Checks
from cli.demo_life import Life, Lived, UnlikeThePlan
from cli.demo_model import truth_of
from cli.demo_plan import plan_world
from cli.demo_report import Latency, latencies, print_addresses, print_feed, print_json, print_summary
from cli.demo_stages import Stages
from cli.demo_stories import StoryLife
from cli.demo_story_checks import StoryChecks
from cli.demo_story_plan import plan_stories
from cli.demo_story_report import print_stories, story_addresses, told_stories
from cli.demo_trends import trends_of
from cli.demo_world import PRIVATE_PERSON, World
from cli.up import boot, stay
from infra.local.home import default_home
from infra.local.ports import chosen_base
from infra.local.stack import Stack
from photolog.client import Client, gateway_pool, store_pool
from photolog.errors import NotFound

EDITIONS_MAX = 1_000
READER = PRIVATE_PERSON + 1
FEED_SHOWN = 12


def demo(
    accounts: Annotated[int, typer.Option(min=12, max=5_000, help="how many people there are")] = 200,
    seed: Annotated[int, typer.Option(help="the same seed is the same world")] = 7,
    celebrity_threshold: Annotated[
        int, typer.Option(min=1, help="followers from which on posts are merged on reading, not copied to each feed")
    ] = 100,
    exit_: Annotated[
        bool, typer.Option("--exit", help="end when all was checked; non-zero if anything failed")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one object a line")] = False,
    port_base: Annotated[
        int | None, typer.Option(help="first of the ports to use", envvar="PHOTOLOG_LOCAL_PORT_BASE")
    ] = None,
) -> None:
    """Set everything up, boot it and live a small world through the public API.

    People sign up, follow, upload photographs, post, like, comment, unfollow and block, show stories and play them.
    Every feed, count, photograph and tray is then compared with what the plan says. It stays up until Ctrl-C.

    Example: bin/photolog demo --accounts 300 --exit
    """
    console = Console(stderr=as_json)
    overrides = {"PHOTOLOG_LIMITS__CELEBRITY_FOLLOWERS": str(celebrity_threshold)}
    stack = Stack(default_home().root, chosen_base(port_base), overrides=overrides)
    boot(stack, console)
    try:
        environment = stack.environment()
        address, flink_url = environment["PHOTOLOG_GATEWAY__PUBLIC_URL"], environment["PHOTOLOG_FLINK__REST_URL"]
        failed = asyncio.run(_live(address, flink_url, seed, accounts, celebrity_threshold, console, as_json))
    except BaseException:
        stack.stop()
        raise
    if exit_:
        stack.stop()
    else:
        console.print("\nCtrl-C stops everything.")
        stay(stack, console)
    if failed:
        raise typer.Exit(1)


async def _live(
    address: str, flink_url: str, seed: int, accounts: int, celebrity_threshold: int, console: Console, as_json: bool
) -> bool:
    """Live a world and report. Returns whether anything was not as it must be."""
    stages = Stages(console)
    async with gateway_pool(address) as gateway, store_pool() as store:
        world = await _new_world(Client(gateway, store), seed, accounts, celebrity_threshold)
        plan = plan_stories(world, truth_of(world))
        with stages.shown():
            lived = await Life(world, gateway, store, stages).live()
            stories = await StoryLife(plan, lived, stages).live()
            checks = await Checks(world, lived, store, stages).run()
            trends = trends_of(world, lived)
            checks += await StoryChecks(world, plan, lived, stories, trends, flink_url, stages).run()
        told = await told_stories(lived, stories, trends)
        feed = (await lived.clients[READER].feed_page(limit=FEED_SHOWN)).items
        token = lived.clients[READER].transport.access_token or ""
        _report(console, as_json, world, lived, stages, checks)
        print_feed(console, world.people[READER].username, feed)
        print_stories(console, world, plan, told)
        print_addresses(console, address, world, token, feed, story_addresses(address, told))
    return any(check.failures for check in checks)


async def _new_world(anyone: Client, seed: int, accounts: int, celebrity_threshold: int) -> World:
    """The seed's world, under user names that no earlier demo has taken."""
    for edition in range(1, EDITIONS_MAX):
        world = plan_world(seed, accounts, celebrity_threshold, edition)
        try:
            await anyone.account_named(world.people[0].username)
        except NotFound:
            return world
    raise UnlikeThePlan("every edition of this world was lived already; `bin/photolog down --wipe` forgets them")


def _report(console: Console, as_json: bool, world: World, lived: Lived, stages: Stages, checks: list[Checked]) -> None:
    measured: list[Latency] = latencies(lived)
    if as_json:
        print_json(stages.done, measured, checks)
    print_summary(console, world, lived, measured, checks)
