"""How a benchmark is run and what it reports: pairs, interleaved, with the median of their ratios."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """One comparison.

    Args:
        name: the benchmark's name.
        unit: what `ours` and `opponent` count, such as "requests/s"; more is better.
        ours: the median of our rates.
        opponent: the median of the opponent's rates.
        opponent_name: who it is.
        ratio: the median over the rounds of ours divided by the opponent's.
        spread: the smallest and the largest ratio of a round.
        aim: the ratio that we want, None where the figure is only printed.
        note: anything a reader must know beside the figures.
    """

    name: str
    unit: str
    ours: float
    opponent: float
    opponent_name: str
    ratio: float
    spread: tuple[float, float]
    aim: float | None
    note: str = ""


def paired(
    name: str,
    unit: str,
    ours: Callable[[], float],
    opponent: Callable[[], float],
    *,
    opponent_name: str,
    aim: float | None,
    rounds: int = 5,
    note: str = "",
) -> Result:
    """Measure both in turn, `rounds` times, after one warm-up of each that is not counted.

    Args:
        ours: runs once and returns its rate, in `unit`.
        opponent: the same for the opponent.
    """
    ours()
    opponent()
    pairs = []
    for number in range(rounds):
        # Who goes first alternates, so that a drift of the machine favours neither.
        if number % 2 == 0:
            first = ours()
            pairs.append((first, opponent()))
        else:
            second = opponent()
            pairs.append((ours(), second))
    ratios = [mine / theirs for mine, theirs in pairs]
    return Result(
        name,
        unit,
        statistics.median(mine for mine, _ in pairs),
        statistics.median(theirs for _, theirs in pairs),
        opponent_name,
        statistics.median(ratios),
        (min(ratios), max(ratios)),
        aim,
        note,
    )
