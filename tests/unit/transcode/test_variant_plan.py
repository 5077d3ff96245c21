"""The plan: seven files, bounded in width, never larger than the source."""

from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.transcode.pictures import PRINTS
from transcode.plan import Made, PhotoFormat, has_extreme_shape, processed_key, variant_plan

WEBP_SIDE_MAX = 16_383
sides = st.integers(min_value=1, max_value=60_000)


def test_a_landscape_gets_a_primary_and_three_widths_in_two_formats() -> None:
    assert [(one.name, one.width, one.height, one.quality) for one in variant_plan(4000, 3000)] == [
        ("primary", 2048, 1536, 90),
        ("w1080.jpeg", 1080, 810, 85),
        ("w1080.webp", 1080, 810, 80),
        ("w640.jpeg", 640, 480, 85),
        ("w640.webp", 640, 480, 80),
        ("w320.jpeg", 320, 240, 85),
        ("w320.webp", 320, 240, 80),
    ]


def test_the_width_is_bounded_and_not_the_height() -> None:
    assert {(one.width, one.height) for one in variant_plan(3000, 4000)} == {
        (2048, 2731),
        (1080, 1440),
        (640, 853),
        (320, 427),
    }


def test_a_narrow_source_keeps_its_width_under_the_same_names() -> None:
    plan = variant_plan(500, 400)
    assert [one.name for one in plan] == [one.name for one in variant_plan(4000, 3000)]
    assert {(one.width, one.height) for one in plan} == {(500, 400), (320, 256)}


def test_content_types_are_those_of_the_formats() -> None:
    assert {one.content_type for one in variant_plan(10, 10)} == {"image/jpeg", "image/webp"}


@given(sides, sides)
def test_no_variant_is_larger_than_its_source_or_empty(width: int, height: int) -> None:
    for one in variant_plan(width, height):
        assert 1 <= one.width <= width
        assert 1 <= one.height <= height


@given(sides, sides)
def test_every_shape_that_is_accepted_fits_into_webp(width: int, height: int) -> None:
    assume(not has_extreme_shape(width, height))
    assert all(one.height <= WEBP_SIDE_MAX for one in variant_plan(width, height) if one.format is PhotoFormat.WEBP)


@given(sides, sides)
def test_shapes_are_judged_alike_on_both_sides(width: int, height: int) -> None:
    assert has_extreme_shape(width, height) == has_extreme_shape(height, width)


@pytest.mark.parametrize(("width", "height", "is_extreme"), [(1, 100_000, True), (15, 1, False), (1, 16, True)])
def test_only_extreme_shapes_are_extreme(width: int, height: int, is_extreme: bool) -> None:
    assert has_extreme_shape(width, height) is is_extreme


def test_keys_name_the_media_record() -> None:
    assert processed_key(42, "w640.webp") == "processed/42/w640.webp"


def test_an_answer_with_other_variants_than_planned_is_recognised() -> None:
    plan = variant_plan(400, 300)
    assert Made(400, 300, tuple((one, b"x") for one in plan), PRINTS).follows_plan
    assert not Made(400, 301, tuple((one, b"x") for one in plan), PRINTS).follows_plan
    assert not Made(400, 300, tuple((one, b"x") for one in plan[1:]), PRINTS).follows_plan
    assert not Made(0, 0, (), PRINTS).follows_plan


@pytest.mark.parametrize(
    "broken",
    [
        {"phash": -1},
        {"phash": 2**64},
        {"thumbprint": b""},
        {"blurhash": "L"},
        {"blurhash": "\n" * 28},
        {"blurhash": "é" * 28},
    ],
)
def test_an_answer_with_prints_of_another_form_is_recognised(broken: dict[str, Any]) -> None:
    variants = tuple((one, b"x") for one in variant_plan(400, 300))
    assert not Made(400, 300, variants, msgspec.structs.replace(PRINTS, **broken)).follows_plan
