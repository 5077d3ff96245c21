"""A page for somebody who follows celebrities, whose posts are merged on reading, against the page with none."""

import asyncio
from functools import partial

from benchmarks import feed_world
from benchmarks.feed_gateway import CARDS, Serving, page_load, rate, serving, sign_in, warm_page
from benchmarks.result import Result, paired

_FOLLOWEES = 100
_CELEBRITIES = (0, 10, 50)


def run(rounds: int = 5) -> list[Result]:
    """Requests a second with ten and with fifty celebrities beside a hundred others; with none as well, which tells
    what two equal pages differ by."""
    with serving() as gateway:
        return _measure(gateway, rounds)


def _measure(gateway: Serving, rounds: int) -> list[Result]:
    plain = sign_in(gateway, "viewer_plain")
    viewers = {number: sign_in(gateway, f"viewer_{number}") for number in _CELEBRITIES}
    follows = {plain.account_id: feed_world.Follows(_FOLLOWEES)} | {
        viewer.account_id: feed_world.Follows(_FOLLOWEES, number) for number, viewer in viewers.items()
    }
    asyncio.run(feed_world.seed(gateway.settings, follows))
    for viewer in (plain, *viewers.values()):
        warm_page(gateway, viewer)
    return [
        paired(
            f"feed, {number} celebrities followed",
            "requests/s",
            partial(rate, page_load(gateway, viewer)),
            partial(rate, page_load(gateway, plain)),
            opponent_name="the page with none",
            aim=0.5 if number == max(_CELEBRITIES) else None,
            rounds=rounds,
            note=f"{CARDS} cards, {_FOLLOWEES} other followees",
        )
        for number, viewer in viewers.items()
    ]
