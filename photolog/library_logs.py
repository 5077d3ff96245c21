"""Keeping libraries from filling the log: warnings and worse, and the same one at most every half minute."""

import logging
import time
from collections.abc import Callable, Iterable

REPEAT_SECONDS = 30.0


class SparingFilter(logging.Filter):
    """Lets a library's message through once in a while, whatever its arguments.

    A client whose server is away reports that ten times a second.

    Args:
        libraries: first parts of logger names; others' messages all pass.
        clock: seconds that only go forward.
    """

    def __init__(self, libraries: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._libraries = frozenset(libraries)
        self._clock = clock
        self._passed_at: dict[tuple[str, int, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        if record.name.partition(".")[0] not in self._libraries:
            return True
        # The place in the code, as some libraries put their arguments into the message.
        place = (record.name, record.lineno, record.pathname)
        now = self._clock()
        if now - self._passed_at.get(place, -REPEAT_SECONDS) < REPEAT_SECONDS:
            return False
        self._passed_at[place] = now
        return True


def quieten(*libraries: str) -> None:
    """Have these libraries say only what goes wrong, and not over and over. Call it once logging is configured."""
    for library in libraries:
        logging.getLogger(library).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(SparingFilter(libraries))
