"""Which encoding a reader gets, from its Accept header (RFC 9110 §12.5.1).

A newer format is given only to who names it: `*/*` and `image/*` are sent by programs that show neither. Who takes no
format of ours gets JPEG, as the RFC allows, rather than nothing.
"""

import re

from photolog.media.addresses import PictureFormat

_PREFERRED = (PictureFormat.AVIF, PictureFormat.WEBP, PictureFormat.JPEG)
"""Smallest first: what a reader wants equally, it gets in this order."""
_ELEMENTS_MAX = 64
_WEIGHT = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


def negotiate(accept: str | None) -> PictureFormat:
    """The format for a reader.

    Args:
        accept: its Accept header, however malformed; None where it sent none.
    """
    weights = _named(accept or "")
    wanted = [one for one in _PREFERRED if weights.get(f"image/{one}", 0.0) > 0]
    # max gives the first of equals.
    return max(wanted, key=lambda one: weights[f"image/{one}"], default=PictureFormat.JPEG)


def _named(accept: str) -> dict[str, float]:
    """The media types that a header names, with their weights. An element that is malformed names nothing."""
    weights: dict[str, float] = {}
    for element in accept.split(",", _ELEMENTS_MAX)[:_ELEMENTS_MAX]:
        kind, *parameters = (part.strip().lower() for part in element.split(";"))
        weight = _weight(parameters)
        if weight is not None:
            weights[kind] = max(weight, weights.get(kind, 0.0))
    return weights


def _weight(parameters: list[str]) -> float | None:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return float(value) if _WEIGHT.fullmatch(value.strip()) else None
    return 1.0
