"""All folds against a naive world, while workers crash, records come again and partitions overtake each other."""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from projections.catalogue import PROJECTIONS
from schemas import events as e
from schemas.topics import topic_of
from tests.replay import actions
from tests.replay.expectations import hold_against
from tests.replay.happenings import events
from tests.replay.naive import NaiveWorld
from tests.replay.simulated_log import InspectedRows, Mishap, SimulatedLog, Worker, without_places
from tests.replay.story_actions import story_events
from tests.replay.window_actions import moderation_events, window_events
from tests.unit.projections.membership import event_id_at

PARTITIONS, PARTITIONS_MAX = 4, 12


class FoldMachine(RuleBasedStateMachine):
    """Appends events and lets a worker fold them badly; the rows must end as the naive world is."""

    def __init__(self) -> None:
        super().__init__()
        self.log = SimulatedLog(PARTITIONS)
        self.store = InspectedRows()
        self.worker = Worker(self.store, self.log)
        self.world = NaiveWorld()
        self.appended: list[tuple[e.Event, UUID, int]] = []

    @rule(happenings=st.lists(st.tuples(events, actions.times_ms), min_size=1, max_size=8))
    def people_act(self, happenings: list[tuple[e.Event, int]]) -> None:
        """Commands append their events."""
        self.happen(happenings)

    def happen(self, happenings: list[tuple[e.Event, int]]) -> None:
        """Append events, each under an id of its own."""
        for event, at_ms in happenings:
            event_id = event_id_at(at_ms, len(self.appended))
            self.appended.append((event, event_id, at_ms))
            self.log.append(event, event_id, at_ms)
            self.world.apply(event, at_ms)

    @rule(which=st.integers(0, 10_000))
    def a_retry_appends_it_again(self, which: int) -> None:
        """The same event id stands at a later offset, too."""
        if self.appended:
            self.log.append(*self.appended[which % len(self.appended)])

    @rule(
        where=st.integers(0, 39),
        mishap=st.builds(
            Mishap,
            rewind=st.integers(0, 12),
            size=st.integers(1, 12),
            crash_at=st.none() | st.floats(0, 1),
            seed=st.integers(0, 5),
            wakes=st.booleans(),
        ),
    )
    def a_worker_takes_a_batch(self, where: int, mishap: Mishap) -> None:
        """From its position or from before it, to the end or to its death."""
        open_ends = self.worker.open_ends(PROJECTIONS)
        if open_ends:
            self.worker.step(*open_ends[where % len(open_ends)], mishap)

    @rule(further=st.integers(1, 3))
    @precondition(lambda self: self.log.partitions < PARTITIONS_MAX)
    def the_topics_grow(self, further: int) -> None:
        """Keys move to other partitions, whatever is left to fold and whoever is paused."""
        self.log.grow(self.log.partitions + further)

    @rule()
    def a_paused_worker_wakes(self) -> None:
        """A worker that lost its partitions to another writes what it still has in hand."""
        self.worker.wake()

    @rule(seed=st.integers(0, 1_000))
    def all_is_folded(self, seed: int) -> None:
        """Nothing is left to fold, and the rows are right."""
        self.worker.finish(PROJECTIONS, seed)
        hold_against(self.store, self.world)

    @invariant()
    def counts_never_fall_below_zero(self) -> None:
        """A part may, where what was counted in one partition ends in another; their sum never does."""
        sums: Counter[object] = Counter()
        for (table, values), kept in self.store.everything().items():
            sums[table, values[:-1]] += getattr(kept.row, "count", 0)
        assert all(total >= 0 for total in sums.values())

    def teardown(self) -> None:
        """Fold the rest, and the whole log once more into a fresh store in another order: rows and places agree."""
        self.worker.finish(PROJECTIONS, seed=0)
        hold_against(self.store, self.world)
        again = InspectedRows()
        Worker(again, self.log).finish(PROJECTIONS, seed=1)
        assert again.everything() == self.store.everything()


class StoryFoldMachine(FoldMachine):
    """The same where nothing but stories happens: among everything else, the same story hardly ever comes twice."""

    @rule(happenings=st.lists(st.tuples(story_events, actions.times_ms), min_size=1, max_size=8))
    def people_act(self, happenings: list[tuple[e.Event, int]]) -> None:
        """Commands append their events."""
        self.happen(happenings)


class WindowFoldMachine(FoldMachine):
    """The same with results of windows, and what operators bar and block."""

    @rule(happenings=st.lists(st.tuples(window_events | moderation_events, actions.times_ms), min_size=1, max_size=8))
    def people_act(self, happenings: list[tuple[e.Event, int]]) -> None:
        """Commands append their events."""
        self.happen(happenings)


SETTINGS = settings(max_examples=60, stateful_step_count=50)
TestFolds, TestStoryFolds, TestWindowFolds = (
    FoldMachine.TestCase,
    StoryFoldMachine.TestCase,
    WindowFoldMachine.TestCase,
)
TestFolds.settings = TestStoryFolds.settings = TestWindowFolds.settings = SETTINGS


@given(
    happenings=st.lists(st.tuples(events, actions.times_ms), max_size=60),
    partitions=st.integers(4, 9),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=60)
def test_only_the_order_within_a_key_matters(happenings: list[tuple[e.Event, int]], partitions: int, seed: int) -> None:
    stream = [(event, event_id_at(at_ms, number), at_ms) for number, (event, at_ms) in enumerate(happenings)]
    assert _folded(stream, PARTITIONS, seed) == _folded(_shuffled_across_keys(stream, seed), partitions, seed + 1)


@given(
    happenings=st.lists(st.tuples(events, actions.times_ms), min_size=2, max_size=60),
    growths=st.lists(st.integers(0, 59), min_size=1, max_size=3),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=60)
def test_growing_in_the_middle_ends_in_the_same_rows(
    happenings: list[tuple[e.Event, int]], growths: list[int], seed: int
) -> None:
    stream = [(event, event_id_at(at_ms, number), at_ms) for number, (event, at_ms) in enumerate(happenings)]
    again = [stream[place % len(stream)] for place in growths]  # repeats of what came before, where their keys lie now
    assert _folded([*stream, *again], PARTITIONS, seed) == _folded([*stream, *again], PARTITIONS, seed + 1, growths)


def _folded(stream: list[tuple[e.Event, UUID, int]], partitions: int, seed: int, growths: Sequence[int] = ()) -> object:
    log, store = SimulatedLog(partitions), InspectedRows()
    for number, (event, event_id, at_ms) in enumerate(stream):
        for _ in range(growths.count(number)):
            log.grow(log.partitions + 1 + number % 3)
        log.append(event, event_id, at_ms)
    Worker(store, log).finish(PROJECTIONS, seed)
    return without_places(store.everything())


def _shuffled_across_keys(stream: list[tuple[e.Event, UUID, int]], seed: int) -> list[tuple[e.Event, UUID, int]]:
    """Another order of the same records that keeps the order within each topic and key."""
    by_key: defaultdict[tuple[str, str], list[tuple[e.Event, UUID, int]]] = defaultdict(list)
    for record in stream:
        topic = topic_of(type(record[0]))
        by_key[topic.name, topic.key(record[0])].append(record)
    order = random.Random(seed)
    turns = [key for key, records in by_key.items() for _ in records]
    order.shuffle(turns)
    return [by_key[key].pop(0) for key in turns]
