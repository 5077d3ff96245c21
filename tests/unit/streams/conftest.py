"""Pauses of a stalled worker take no time in these tests."""

import pytest

from photolog import stall


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that would have been made, in seconds."""
    paused: list[float] = []

    async def note(seconds: float) -> None:
        paused.append(seconds)

    monkeypatch.setattr(stall, "sleep", note)
    return paused
