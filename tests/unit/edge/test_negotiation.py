"""Which format a reader gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.negotiation import negotiate
from photolog.media.addresses import PictureFormat

FORMATS = (PictureFormat.AVIF, PictureFormat.WEBP, PictureFormat.JPEG)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "jpeg"),
        ("", "jpeg"),
        ("*/*", "jpeg"),
        ("image/*", "jpeg"),
        ("image/png", "jpeg"),
        ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", "avif"),
        ("image/webp,*/*", "webp"),
        ("image/jpeg, image/webp;q=0.9, image/avif;q=0.8", "jpeg"),
        ("image/webp;q=1.0, image/avif;q=0.999", "webp"),
        ("IMAGE/AVIF ; Q=0.5", "avif"),
        ("image/avif;q=0, image/webp;q=0.000", "jpeg"),
        ("image/avif;q=2, image/webp;q=0.5", "webp"),
        ("image/avif;level=1;q=0.4,image/webp;q=0.5", "webp"),
        ("image/avif;q=0.1,image/avif", "avif"),
        (";,,;q=,image/webp", "webp"),
    ],
)
def test_a_reader_gets_what_it_names(accept: str | None, expected: str) -> None:
    assert negotiate(accept) == expected


@given(st.text())
def test_whatever_is_sent_there_is_a_format(accept: str) -> None:
    assert negotiate(accept) in FORMATS


@given(st.dictionaries(st.sampled_from(FORMATS), st.integers(0, 1_000), min_size=1))
def test_the_greatest_weight_wins_and_the_smaller_file_among_equals(weights: dict[PictureFormat, int]) -> None:
    accept = ", ".join(f"image/{form};q={weight / 1_000:.3f}" for form, weight in weights.items())
    found = negotiate(accept)
    wanted = {form: weight for form, weight in weights.items() if weight}
    if not wanted:
        assert found is PictureFormat.JPEG
        return
    best = [form for form, weight in wanted.items() if weight == max(wanted.values())]
    assert found is min(best, key=FORMATS.index)
