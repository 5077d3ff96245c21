"""A fresh gateway in memory for each test."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.unit.gateway.river import River


@pytest.fixture
def river() -> River:
    """A gateway, its log and its jobs."""
    return River()


@pytest.fixture
async def client(river: River) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it."""
    async with river.client() as client:
        yield client
