"""Problem documents (RFC 9457) become the same typed errors that the gateway raised."""

import math

import httpx
import msgspec

from photolog import errors


class Problem(msgspec.Struct, frozen=True):
    """What a refused request answers with; members that are missing get a plain default."""

    type: str = "about:blank"
    title: str = ""
    status: int = 0
    detail: str = ""
    field: str | None = None

    @property
    def kind(self) -> str:
        """The stable slug: the last part of the type."""
        return self.type.rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]


class Unavailable(errors.PhotologError):
    """The platform could not answer now.

    Args:
        problem: what it said.
        retry_after_seconds: when it asks to be tried again.
    """

    def __init__(self, problem: Problem, retry_after_seconds: float) -> None:
        super().__init__(f"{problem.status} {problem.kind}: {problem.detail or problem.title}")
        self.problem = problem
        self.retry_after_seconds = retry_after_seconds


class Unreachable(errors.PhotologError):
    """Nobody answers at the address."""


class UnexpectedAnswer(errors.PhotologError):
    """The server answered something that is not photolog's HTTP interface."""


_REFUSALS: dict[int, type[errors.Refusal]] = {
    400: errors.Invalid,
    401: errors.Unauthenticated,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    410: errors.Gone,
    413: errors.Limited,
    415: errors.Invalid,
    422: errors.Invalid,
}
RETRY_SECONDS_DEFAULT = 1.0


def read_problem(answer: httpx.Response) -> Problem:
    """The problem document of an answer; a foreign body gives a problem with the status alone."""
    try:
        return msgspec.json.decode(answer.content, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Problem(status=answer.status_code, title=answer.reason_phrase)


def error_of(answer: httpx.Response) -> errors.PhotologError:
    """The error that an answer of 400 or above stands for."""
    problem = read_problem(answer)
    if answer.status_code == 429:
        wait_seconds = math.ceil(_retry_seconds(answer))
        return errors.TooSoon(
            problem.kind, problem.detail or problem.title, problem.field, retry_after_seconds=wait_seconds
        )
    refusal = _REFUSALS.get(answer.status_code)
    if refusal is not None:
        return refusal(problem.kind, problem.detail or problem.title, problem.field)
    if answer.status_code == 503:
        return Unavailable(problem, _retry_seconds(answer))
    return UnexpectedAnswer(f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}")


def _retry_seconds(answer: httpx.Response) -> float:
    header = answer.headers.get("Retry-After", "")
    return float(header) if header.isdigit() else RETRY_SECONDS_DEFAULT
