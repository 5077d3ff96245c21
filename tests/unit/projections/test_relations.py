"""Relations: each side of a pair sees its own half, and the cached form says the same as the row."""

import itertools

import pytest

from projections.graph import PairRow
from projections.pairs import FollowStatus
from projections.relations import NO_RELATION, Relation, parse_relation, relation_of, relation_writes, relations_key

LOW, HIGH = 10, 20


def test_nobody_who_never_met_has_a_relation() -> None:
    assert relation_of(LOW, None) == NO_RELATION
    assert parse_relation(None) == NO_RELATION


def test_each_side_sees_its_own_half() -> None:
    pair = PairRow(low_id=LOW, high_id=HIGH, low_follows="active", high_follows="pending", high_blocks=True)
    assert relation_of(LOW, pair) == Relation(follows="active", followed_by="pending", blocked_by=True)
    assert relation_of(HIGH, pair) == Relation(follows="pending", followed_by="active", blocks=True)


def test_a_mute_is_known_to_the_muter_alone() -> None:
    pair = PairRow(low_id=LOW, high_id=HIGH, low_mutes=True)
    assert relation_of(LOW, pair).mutes
    assert relation_of(HIGH, pair) == NO_RELATION


def test_cached_forms_say_what_the_row_says_for_every_state_of_a_pair() -> None:
    statuses: tuple[FollowStatus, ...] = ("none", "pending", "active")
    flags = (False, True)
    for low, high, *rest in itertools.product(statuses, statuses, flags, flags, flags, flags):
        blocks, blocked, mutes, muted = rest
        pair = PairRow(
            low_id=LOW,
            high_id=HIGH,
            low_follows=low,
            high_follows=high,
            low_blocks=blocks,
            high_blocks=blocked,
            low_mutes=mutes,
            high_mutes=muted,
        )
        for write, viewer_id, other_id in zip(
            relation_writes(LOW, HIGH, pair, 7), (LOW, HIGH), (HIGH, LOW), strict=True
        ):
            assert (write.key, write.field, write.version) == (relations_key(viewer_id), str(other_id), 7)
            assert parse_relation(write.value) == relation_of(viewer_id, pair)


def test_an_absent_pair_is_cached_as_known_to_be_absent() -> None:
    assert [write.value for write in relation_writes(LOW, HIGH, None, -1)] == [None, None]


def test_a_foreign_form_is_corruption() -> None:
    with pytest.raises(KeyError):
        parse_relation(b"active")
