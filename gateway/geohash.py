"""Geohashes: a place as a short name of the cell that it lies in."""

_ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz"
_BITS = 5
COARSE_CHARACTERS = 4
"""A cell of about 39 km by 20 km at the equator: coarse enough to stay when a person's data is erased."""


def geohash(latitude: float, longitude: float, characters: int = COARSE_CHARACTERS) -> str:
    """The geohash of a place.

    Args:
        latitude: degrees, -90..90.
        longitude: degrees, -180..180.
        characters: length of the name; each character halves the cell five times, longitude first, in turns.

    Source: G. Niemeyer, geohash.org (2008); the alphabet leaves out a, i, l and o.
    """
    ranges = ((-180.0, 180.0, longitude), (-90.0, 90.0, latitude))
    bounds = [[low, high] for low, high, _ in ranges]
    bits = 0
    for place in range(characters * _BITS):
        axis = place % 2
        low, high = bounds[axis]
        middle = (low + high) / 2
        upper = ranges[axis][2] >= middle
        bounds[axis] = [middle, high] if upper else [low, middle]
        bits = bits << 1 | upper
    shifts = range((characters - 1) * _BITS, -1, -_BITS)
    return "".join(_ALPHABET[bits >> shift & 31] for shift in shifts)
