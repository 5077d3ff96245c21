"""A person's client of the public HTTP interface."""

from photolog.client.engagement import EngagementCalls
from photolog.client.media import MediaCalls
from photolog.client.people import PeopleCalls
from photolog.client.photographs import PhotographCalls
from photolog.client.stories import StoryCalls


class Client(PeopleCalls, MediaCalls, PhotographCalls, EngagementCalls, StoryCalls):
    """Everything that one person does.

    Every command goes out under an Idempotency-Key, so that its retries are harmless; every later request carries the
    position of what was written before, so that this client reads its own writes. A request that is refused raises the
    same error of `photolog.errors` that the gateway raised; one that could not be answered, `Unavailable` or
    `Unreachable`.
    """
