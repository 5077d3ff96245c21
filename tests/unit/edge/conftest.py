"""An edge of its own for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.edge.world import EdgeWorld, edge_world
from tests.unit.gateway_social.world import World


@pytest.fixture
async def edge() -> AsyncIterator[EdgeWorld]:
    """An edge over an empty world."""
    async with edge_world(World()) as made:
        yield made
