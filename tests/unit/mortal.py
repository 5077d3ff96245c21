"""Deaths of a process: a port whose process dies at one of its calls."""

from collections.abc import Collection
from typing import Any


class Killed(BaseException):
    """Stands for SIGKILL: nothing that catches errors catches this."""


class Mortal:
    """A store, the log or another port, whose process dies at one call: before it takes effect, or right after.

    Args:
        inner: what answers.
        calls: how many calls are `left` until the death, over all of a world's ports together, and whether it comes
            `after` that call.
        names: the calls that count.
    """

    def __init__(self, inner: Any, calls: dict[str, Any], names: Collection[str]) -> None:
        self._inner = inner
        self._calls = calls
        self._names = names

    def __getattr__(self, name: str) -> Any:
        answer = getattr(self._inner, name)
        if name not in self._names:
            return answer

        async def counted(*arguments: Any, **options: Any) -> Any:
            self._calls["left"] -= 1
            dies = self._calls["left"] == 0
            if dies and not self._calls["after"]:
                raise Killed
            result = await answer(*arguments, **options)
            if dies:
                raise Killed
            return result

        return counted
