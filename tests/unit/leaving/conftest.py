"""A world that has lived, for each test."""

import pytest

from tests.unit.leaving.world import World
from tests.unit.streams.conftest import no_pauses  # noqa: F401  # fixture


@pytest.fixture
async def world() -> World:
    """Everybody did something, and nobody has left yet."""
    world = World()
    await world.live()
    return world
