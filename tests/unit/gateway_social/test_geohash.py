"""Geohashes against published ones."""

import pytest

from gateway.geohash import geohash


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        (57.64911, 10.40744, "u4pruydqqvj"),  # geohash.org's own example
        (42.605, -5.603, "ezs42"),  # the worked example of Wikipedia's article
        (0.0, 0.0, "s000"),
        (-90.0, -180.0, "0000"),
        (90.0, 180.0, "zzzz"),
    ],
)
def test_a_place_has_its_published_geohash(latitude: float, longitude: float, expected: str) -> None:
    assert geohash(latitude, longitude, len(expected)) == expected


def test_the_coarse_cell_is_a_prefix_of_the_fine_one() -> None:
    assert geohash(57.64911, 10.40744, 11).startswith(geohash(57.64911, 10.40744))
