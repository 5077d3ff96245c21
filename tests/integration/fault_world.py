"""A small town on the real engines, whose people act through a real gateway while something is being broken.

Each person is a lane: what they do, they do one after the other, and each command is sent again under its key until it
is answered for good. What happens between two people is all in the lane of one of them. So the order in which the
commands of a key were acknowledged is known, and with it what must be in the log.
"""

import asyncio
import os
import random
import secrets
import signal
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import httpx
import psutil

from photolog.client import Client, gateway_pool, store_pool
from photolog.positions import Position, parse_positions
from schemas import events as e
from schemas.topics import ACCOUNTS
from tests.integration.fault_log import Deed, LogSince
from tests.integration.fault_wishes import Ideas, Resident, Wish, posting
from tests.integration.workers import Hand, eventually
from tests.unit.streams.scenario import ready

PEOPLE = 12
PASSWORD = "a password of some length"
PAUSE_SECONDS_MAX = 0.4
SETTLE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A command that was answered: what it became, where it landed, and the key under which it may be sent again."""

    wish: Wish
    deed: Deed
    position: Position
    key: str


@dataclass(slots=True)
class Tally:
    """What clients met with: how long each refusal for want of an engine took, in seconds, and how many there were."""

    unavailable: list[float] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    unanswered: int = 0
    refused: int = 0
    reads: int = 0


class FaultWorld:
    """The town.

    Args:
        http: a pool of connections to the gateway.
        residents: its people. The last of them does and meets with nothing by chance; what tests wish for is theirs.
        log: the log since before they were born.
        seed: of all they do.
    """

    def __init__(self, http: httpx.AsyncClient, residents: Sequence[Resident], log: LogSince, seed: int) -> None:
        self.http = http
        self.residents = residents
        self._by_chance = residents[:-1]
        self.log = log
        self.seed = seed
        self.acknowledged: list[Acknowledged] = []
        self.tally = Tally()
        self.ideas = Ideas(self._by_chance)
        self._days = 0

    @asynccontextmanager
    async def living(self) -> AsyncIterator[Tally]:
        """People act until the end of the block, and then until all they began is answered.

        Gives what they meet with meanwhile.
        """
        self.tally, self._days = Tally(), self._days + 1
        night = asyncio.Event()
        lanes = [asyncio.create_task(self._live(number, night)) for number in range(len(self._by_chance))]
        try:
            yield self.tally
        finally:
            # Also after a failure: what somebody began is brought to its end, or the next test would find half of it.
            night.set()
            try:
                await asyncio.wait_for(asyncio.gather(*lanes), SETTLE_SECONDS)
            finally:
                for lane in lanes:
                    lane.cancel()
                await asyncio.gather(*lanes, return_exceptions=True)

    async def everyone_posts(self, times: int) -> None:
        """All people post at once, so many times."""

        async def post(who: Resident) -> None:
            for _ in range(times):
                await self.wish(posting(who))

        await asyncio.gather(*(post(who) for who in self.residents))

    @property
    def star(self) -> Resident:
        """Who is followed, and posts, only as tests wish."""
        return self.residents[-1]

    @property
    def posts(self) -> list[int]:
        """The posts of the town that nobody wished to delete, oldest first."""
        return list(self.ideas.posts)

    async def published(self, who: Resident) -> int:
        """A new post of somebody's, or one that they made meanwhile, once others may like it."""
        assert await self.wish(posting(who))
        post_id = max(post_id for post_id, owner_id in self.ideas.posts.items() if owner_id == who.account_id)

        async def is_published() -> bool:
            answer = await self.request(who, "GET", f"/v1/posts/{post_id}")
            return answer.status_code == 200 and answer.json()["status"] == "published"

        await eventually(is_published)
        return post_id

    async def attempt(self, wish: Wish, key: str) -> tuple[httpx.Response, float]:
        """Send a command once; the answer, and the seconds it took. `wish` under the same key makes it certain."""
        began = time.monotonic()
        sent = {"authorization": f"Bearer {wish.who.token}", "idempotency-key": key}
        answer = await self.http.request(wish.method, wish.path, headers=sent, json=wish.body)
        return answer, time.monotonic() - began

    async def wish(self, wish: Wish, *, key: str | None = None, http: httpx.AsyncClient | None = None) -> bool:
        """Send a command under a key until it is answered for good; whether it was acknowledged.

        Args:
            wish: the command.
            key: one that it was sent under before.
            http: connections to another gateway.
        """
        repeated = key is not None
        key = key or secrets.token_hex(12)
        headers = {"idempotency-key": key}
        answer = await self.request(wish.who, wish.method, wish.path, headers=headers, body=wish.body, http=http)
        if answer.status_code >= 400:
            assert answer.status_code in (404, 409), f"{wish.method} {wish.path}: {answer.text}"
            self.tally.refused += 1
            return False
        made = () if wish.named is None else (int(answer.json()[wish.named]),)
        (position,) = parse_positions(answer.headers["photolog-position"])
        done = Acknowledged(wish, (wish.kind, wish.ids + made), position, key)
        self.acknowledged.append(done)
        if not repeated:
            self.ideas.happened(done.deed)
        return True

    async def request(
        self,
        who: Resident,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        body: object = None,
        http: httpx.AsyncClient | None = None,
    ) -> httpx.Response:
        """Ask until the answer is another than that an engine is away."""
        sent = {"authorization": f"Bearer {who.token}", **(headers or {})}
        while True:
            began = time.monotonic()
            try:
                answer = await (http or self.http).request(method, path, headers=sent, json=body)
            except httpx.TransportError:
                self.tally.unanswered += 1
                await asyncio.sleep(0.3)
                continue
            if answer.status_code not in (503, 429):
                return answer
            if answer.status_code == 503:
                self.tally.unavailable.append(time.monotonic() - began)
                self.tally.kinds.add(answer.json()["type"])
            await asyncio.sleep(int(answer.headers["retry-after"]))

    async def _live(self, number: int, night: asyncio.Event) -> None:
        chance = random.Random(f"{self.seed}/{self._days}/{number}")
        who = self._by_chance[number]
        while not night.is_set():
            await asyncio.sleep(chance.uniform(0, PAUSE_SECONDS_MAX))
            wish = self.ideas.next(who, chance)
            if wish is not None:
                await self.wish(wish)
            else:
                self.tally.reads += 1
                assert (await self.request(who, "GET", "/v1/feed?limit=10")).status_code == 200


@contextmanager
def stopped(*pids: int) -> Iterator[None]:
    """Processes stand still, as on a machine that is paused, until the end of the block."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        for pid in pids:
            while psutil.Process(pid).status() != psutil.STATUS_STOPPED:
                time.sleep(0.01)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def founded(address: str, hand: Hand, seed: int) -> AsyncIterator[FaultWorld]:
    """A town at a gateway: its people signed up, each with a photograph, most of them following each other."""
    log = await asyncio.to_thread(LogSince, hand.settings.kafka, hand.resources.serde)
    async with gateway_pool(address) as http, store_pool() as store:

        async def settled_in(number: int) -> Resident:
            client, name = Client(http, store), f"resident_{number}_{secrets.token_hex(4)}"
            account_id = int(await client.sign_up(name, PASSWORD))
            tokens = await client.log_in(name, PASSWORD)
            media_id = hand.ids.next()
            await hand.applied("media", await hand.append(ready(media_id, account_id)))
            return Resident(account_id, tokens.access_token, media_id)

        found = await asyncio.gather(*(settled_in(number) for number in range(PEOPLE)))
        await eventually(lambda: hand.caught_up("accounts", ACCOUNTS))
        world = FaultWorld(http, sorted(found, key=lambda who: who.account_id), log, seed)
        chance = random.Random(seed)
        for who in world.residents:
            for other in chance.sample([one for one in world.residents if one is not who], PEOPLE * 2 // 3):
                path, ids = f"/v1/accounts/{other.account_id}/follow", (who.account_id, other.account_id)
                assert await world.wish(Wish(who, "PUT", path, e.FollowCreated, ids))
        yield world
