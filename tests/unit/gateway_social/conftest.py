"""A fresh world for each test."""

import pytest

from tests.unit.gateway_social.world import World


@pytest.fixture
def world() -> World:
    """An empty world in memory."""
    return World()
