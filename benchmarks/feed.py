"""A page of 20 hydrated cards, against the same server and authentication returning a ready page of that size.

Real uvicorn, Redis and Cassandra; the load comes from another process, a bounded number of requests each round. The
caches are warm, as those of somebody who looks at their feed twice a day are.
"""

import asyncio
from functools import partial

from benchmarks import feed_world
from benchmarks.feed_gateway import CARDS, Serving, page_load, rate, serving, sign_in, warm_page
from benchmarks.result import Result, paired

_FOLLOWEES = (10, 2_000)


def run(rounds: int = 5) -> list[Result]:
    """Requests a second, for a viewer who follows ten accounts and for one who follows two thousand."""
    with serving() as gateway:
        return _measure(gateway, rounds)


def _measure(gateway: Serving, rounds: int) -> list[Result]:
    viewers = {followees: sign_in(gateway, f"viewer_{followees}") for followees in _FOLLOWEES}
    follows = {viewer.account_id: feed_world.Follows(number) for number, viewer in viewers.items()}
    asyncio.run(feed_world.seed(gateway.settings, follows))
    pages = {viewer.account_id: warm_page(gateway, viewer) for viewer in viewers.values()}
    asyncio.run(feed_world.keep_pages(gateway.settings, pages))
    return [
        paired(
            f"feed, {followees:,} followees",
            "requests/s",
            partial(rate, page_load(gateway, viewer)),
            partial(rate, page_load(gateway, viewer, "/bench/page")),
            opponent_name="a ready page after one Redis round trip",
            aim=0.4,
            rounds=rounds,
            note=f"{CARDS} cards, {len(pages[viewer.account_id]):,} bytes",
        )
        for followees, viewer in viewers.items()
    ]
