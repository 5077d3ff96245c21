"""Many statements at once, without a task or a future of asyncio's for each: the driver's own thread starts the next
one where one is answered. A statement costs the loop nothing that way, and a page of a feed asks for hundreds.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from cassandra import DriverException, RequestValidationException
from cassandra.cluster import NoHostAvailable, ResponseFuture, Session

from photolog.errors import PhotologError, StoreMismatch, StoreUnavailable

Answers = list[list[Any]]
Request = Callable[[], Any]
"""Gives a statement of the driver's with its parameters bound."""


class ManyStatements:
    """One run of many statements.

    Args:
        session: the driver's.
        requests: what to run; each must be idempotent.
    """

    def __init__(self, session: Session, requests: Sequence[Request]) -> None:
        self._session = session
        self._requests = requests
        self._answers: Answers = [[] for _ in requests]
        self._indices = count()  # whose next() is atomic
        self._left = len(requests)
        self._lock = threading.Lock()
        self._stopped = False
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[Answers] = self._loop.create_future()

    async def run(self, concurrency: int) -> Answers:
        """Run them, so many at a time; the answers in their order.

        Raises:
            StoreUnavailable: one was not answered.
            StoreMismatch: one was refused.
        """
        if not self._requests:
            return []
        for _ in range(min(concurrency, len(self._requests))):
            self._start()
        return await self._done

    def stop(self) -> None:
        """Start no more of them."""
        self._stopped = True

    def _start(self) -> None:
        index = next(self._indices)
        if self._stopped or index >= len(self._requests):
            return
        try:
            bound = self._requests[index]()
            bound.is_idempotent = True
            response = self._session.execute_async(bound)
        # Whatever a value or the driver does, it is the run's error: this may be the driver's thread.
        except Exception as error:  # noqa: BLE001
            self._failed(error)
            return
        response.add_callbacks(self._arrived, self._failed, callback_args=(index, response))

    def _arrived(self, page: list[Any] | None, index: int, response: ResponseFuture) -> None:
        self._answers[index].extend(page or ())
        if response.has_more_pages:
            response.start_fetching_next_page()
            return
        with self._lock:
            self._left -= 1
            last = self._left == 0
        if last:
            self._settle(self._answers)
        else:
            self._start()

    def _failed(self, error: BaseException) -> None:
        self._stopped = True
        self._settle(error)

    def _settle(self, outcome: "Answers | BaseException") -> None:
        try:
            self._loop.call_soon_threadsafe(self._resolve, outcome)
        except RuntimeError:
            # The loop was closed meanwhile, and nobody waits.
            self._stopped = True

    def _resolve(self, outcome: "Answers | BaseException") -> None:
        if self._done.done():
            return
        if isinstance(outcome, BaseException):
            self._done.set_exception(of_ours(outcome))
        else:
            self._done.set_result(outcome)


def of_ours(error: BaseException) -> BaseException:
    """The driver's error as ours. One of the statement itself does not pass by waiting."""
    ours: PhotologError
    if isinstance(error, RequestValidationException):
        ours = StoreMismatch(f"Cassandra: {error}")
    elif isinstance(error, (DriverException, NoHostAvailable)):
        ours = StoreUnavailable(f"Cassandra: {error}")
    else:
        return error
    ours.__cause__ = error
    return ours
