"""Who may go on: every request takes a token of its caller's bucket for such requests, and one of its address.

What a client is told is draft-ietf-httpapi-ratelimit-headers-11: `RateLimit-Policy` names the buckets and never changes
for a route, `RateLimit` says what is left in the caller's own. What an address has left is told only where nothing is:
others may share it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import structlog

from gateway.endpoint import RateClass
from gateway.limits.port import Bucket, BucketStore
from gateway.metrics import refused
from photolog.errors import TooSoon
from photolog.rates import Rate
from photolog.settings import LimitSettings

POLICY_HEADER, LIMIT_HEADER = b"ratelimit-policy", b"ratelimit"
ADDRESS = "address"
_MICROSECONDS = 1_000_000
Headers = list[tuple[bytes, bytes]]
logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a request may go on.

    Args:
        headers: what its answer says of the limits, whatever else it says.
        refusal: what to raise where it may not.
    """

    headers: Headers
    refusal: TooSoon | None = None


class Limiter:
    """Admits requests.

    Args:
        buckets: where they are kept.
        limits: the rates.
    """

    def __init__(self, buckets: BucketStore, limits: LimitSettings) -> None:
        self._buckets = buckets
        self._on = limits.rates
        self._address_rate = limits.rate_address
        self._rates: dict[RateClass, Rate] = {name: getattr(limits, f"rate_{name}") for name in get_args(RateClass)}
        self._policies = {
            name: f"{_policy(name, rate)}, {_policy(ADDRESS, limits.rate_address)}".encode()
            for name, rate in self._rates.items()
        }

    async def admit(self, rate_class: RateClass, caller: str | None, address: str) -> Admission:
        """Take a token from each bucket that a request concerns.

        Args:
            rate_class: the endpoint's.
            caller: the account's id; None for a caller without account, who is known by the address.
            address: the digest of the client's address.
        """
        if not self._on:
            return Admission([])
        own = Bucket(caller or address, rate_class, self._rates[rate_class])
        return await self._admit(rate_class, [own, Bucket(address, ADDRESS, self._address_rate)])

    async def admit_stranger(self, rate_class: RateClass, address: str) -> Admission:
        """Take a token of an address whose request shows no access token that is good, before it is told so."""
        if not self._on:
            return Admission([])
        return await self._admit(rate_class, [Bucket(address, ADDRESS, self._address_rate)])

    async def _admit(self, rate_class: RateClass, buckets: Sequence[Bucket]) -> Admission:
        taken = await self._buckets.take(buckets)
        policies = (POLICY_HEADER, self._policies[rate_class])
        if taken.granted:
            own, debt_us = buckets[0], taken.debts_us[0]
            shown = [] if own.policy == ADDRESS else [(LIMIT_HEADER, _limit(own, debt_us).encode())]
            return Admission([policies, *shown])
        empty = empty_of(buckets, taken.debts_us)
        headers = [policies, (LIMIT_HEADER, ", ".join(_limit(bucket, debt_us) for bucket, debt_us in empty).encode())]
        return Admission(headers, refusal(empty, rate_class))


def refusal(empty: Sequence[tuple[Bucket, int]], rate_class: str) -> TooSoon:
    """The refusal for these empty buckets and what they owe; it is counted and logged."""
    policies = tuple(bucket.policy for bucket, _ in empty)
    seconds = max((bucket.rate.wait_seconds(debt_us) for bucket, debt_us in empty), default=1)
    for policy in policies:
        refused(rate_class, policy)
    logger.info("too-soon", rate_class=rate_class, policies=policies, retry_after_seconds=seconds)
    detail = f"too many requests of this kind; try again in {seconds} s"
    return TooSoon("quota-exceeded", detail, retry_after_seconds=max(1, seconds), policies=policies)


def empty_of(buckets: Sequence[Bucket], debts_us: Sequence[int]) -> list[tuple[Bucket, int]]:
    """The buckets without a token, with what each owes."""
    return [(bucket, debt) for bucket, debt in zip(buckets, debts_us, strict=True) if bucket.rate.left(debt) < 1]


def _policy(name: str, rate: Rate) -> str:
    return f'"{name}";q={rate.quota};w={rate.window_seconds}'


def _limit(bucket: Bucket, debt_us: int) -> str:
    """What is left, and a period in which to use no more than that.

    The period is in which as many tokens come back, so that who keeps to it is never refused; of an empty bucket, it
    is until the next.
    """
    left = bucket.rate.left(debt_us)
    seconds = -(-left * bucket.rate.token_us // _MICROSECONDS) if left else bucket.rate.wait_seconds(debt_us)
    return f'"{bucket.policy}";r={left};t={max(1, seconds)}'
