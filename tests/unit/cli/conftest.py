"""What tests of commands share that run in this process."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """The command line sets up logs for its process; this process is the tests'."""
    yield
    structlog.reset_defaults()
