"""Libraries do not fill the log while a server is away."""

import logging

from photolog.library_logs import REPEAT_SECONDS, SparingFilter


def record(name: str, line: int = 7) -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "client.py", line, "away: %s", ("x",), None)


def test_a_librarys_message_passes_again_after_a_while() -> None:
    now = [0.0]
    sparing = SparingFilter(["aiokafka"], lambda: now[0])
    passed = []
    for now[0] in (0.0, 0.1, REPEAT_SECONDS - 0.1, REPEAT_SECONDS):
        passed.append(sparing.filter(record("aiokafka.cluster")))
    assert passed == [True, False, False, True]


def test_other_places_and_our_own_messages_pass() -> None:
    sparing = SparingFilter(["aiokafka"], lambda: 0.0)
    assert sparing.filter(record("aiokafka", 1))
    assert sparing.filter(record("aiokafka", 2))
    assert all(sparing.filter(record("streams.step")) for _ in range(3))
