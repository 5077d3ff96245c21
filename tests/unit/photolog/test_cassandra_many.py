"""Many statements at once, over a driver that answers as it is told."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from cassandra import InvalidRequest, OperationTimedOut

from photolog.engines.cassandra_many import ManyStatements
from photolog.errors import StoreMismatch, StoreUnavailable


class Statement:
    """A prepared statement whose bound form is its parameters."""

    def bind(self, parameters: tuple[Any, ...]) -> "Bound":
        return Bound(parameters)


class Bound:
    is_idempotent = False

    def __init__(self, parameters: tuple[Any, ...]) -> None:
        self.parameters = parameters


class Response:
    """An answer that comes from a thread of its own, in pages."""

    def __init__(self, session: "Session", pages: list[Any]) -> None:
        self._session = session
        self._pages = pages
        self._callbacks: tuple[Callable[..., None], Callable[..., None], tuple[Any, ...]]

    @property
    def has_more_pages(self) -> bool:
        return bool(self._pages)

    def add_callbacks(
        self, arrived: Callable[..., None], failed: Callable[..., None], callback_args: tuple[Any, ...]
    ) -> None:
        self._callbacks = (arrived, failed, callback_args)
        self.start_fetching_next_page()

    def start_fetching_next_page(self) -> None:
        threading.Thread(target=self._answer).start()

    def _answer(self) -> None:
        arrived, failed, arguments = self._callbacks
        page = self._pages.pop(0)
        self._session.leave()
        if isinstance(page, Exception):
            failed(page)
        else:
            arrived(page, *arguments)


class Session:
    """Answers each statement with its parameters, those below zero with an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.begun: list[int] = []
        self.at_once = 0
        self.most = 0
        self._lock = threading.Lock()

    def execute_async(self, bound: Bound) -> Response:
        assert bound.is_idempotent
        (number,) = bound.parameters
        with self._lock:
            self.begun.append(number)
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        if number < 0:
            return Response(self, [self.error])
        return Response(self, [[number], [number, number]] if number % 3 == 0 else [[number]])

    def leave(self) -> None:
        with self._lock:
            self.at_once -= 1


def many(session: Session, numbers: list[int]) -> ManyStatements:
    statement: Any = Statement()
    driver: Any = session
    return ManyStatements(driver, [partial(statement.bind, (number,)) for number in numbers])


async def test_answers_come_in_the_order_of_the_statements_and_never_too_many_are_under_way() -> None:
    session = Session()
    answers = await many(session, list(range(200))).run(16)
    assert answers == [[number] * 3 if number % 3 == 0 else [number] for number in range(200)]
    assert sorted(session.begun) == list(range(200))
    assert session.most <= 16
    assert await many(session, []).run(16) == []


@pytest.mark.parametrize(
    ("error", "ours"), [(OperationTimedOut(), StoreUnavailable), (InvalidRequest("no such table"), StoreMismatch)]
)
async def test_one_that_fails_fails_the_run_and_no_others_are_begun(error: Exception, ours: type[Exception]) -> None:
    session = Session(error)
    with pytest.raises(ours):
        await many(session, [0, -1, *range(1_000)]).run(2)
    await asyncio.sleep(0.05)
    assert len(session.begun) < 1_000


async def test_a_value_that_does_not_fit_is_the_runs_error() -> None:
    class Refusing(Statement):
        def bind(self, parameters: tuple[Any, ...]) -> Bound:
            raise TypeError("not a bigint")

    statement: Any = Refusing()
    driver: Any = Session()
    with pytest.raises(TypeError, match="not a bigint"):
        await ManyStatements(driver, [partial(statement.bind, (1,)), partial(statement.bind, (2,))]).run(4)


async def test_one_that_is_given_up_begins_no_more() -> None:
    session = Session()
    running = many(session, list(range(100_000)))
    task = asyncio.create_task(running.run(4))
    await asyncio.sleep(0.02)
    task.cancel()
    running.stop()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0.05)
    begun = len(session.begun)
    await asyncio.sleep(0.05)
    assert len(session.begun) == begun < 100_000
