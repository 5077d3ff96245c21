"""Classifiers in turn: the gravest verdict holds, and one that fails lets nothing through."""

import asyncio
from types import ModuleType
from typing import Any

import pytest

from moderation.classifier import Judgement, Label, Subject
from moderation.panel import LABELS_MAX, REASON_CHARACTERS_MAX, Panel, Patience, named_classifiers
from photolog.errors import SettingsError, StoreUnavailable
from photolog.settings import ModerationSettings, Settings
from tests.unit.moderation.world import MEDIA, Spoken, subject

QUICK = Patience(seconds=0.05, attempts=2)
ALLOWED, DOUBTED = Judgement("allowed"), Judgement("review", "hm", None, {Label.SYNTHETIC: 0.6})
REFUSED = Judgement("refused", "no", "violence", {Label.VIOLENCE: 0.99})


@pytest.mark.parametrize(
    ("says", "verdict", "by"),
    [
        ([ALLOWED, ALLOWED], "allowed", "0"),
        ([ALLOWED, DOUBTED, ALLOWED], "review", "1"),
        ([DOUBTED, REFUSED, ALLOWED], "refused", "1"),
        ([DOUBTED, DOUBTED], "review", "0"),
    ],
)
async def test_the_gravest_verdict_holds_and_the_first_of_equals(says: list[Judgement], verdict: str, by: str) -> None:
    classifiers = [Spoken(str(number), said) for number, said in enumerate(says)]
    ruling = await Panel(classifiers, QUICK).judge(subject())
    assert (ruling.judgement.verdict, ruling.classifier) == (verdict, by)


async def test_nobody_is_asked_once_one_refuses() -> None:
    last = Spoken("last", ALLOWED)
    await Panel([Spoken("first", REFUSED), last], QUICK).judge(subject())
    assert last.asked == 0


async def hangs() -> Judgement:
    await asyncio.sleep(60)
    return ALLOWED


@pytest.mark.parametrize("failure", [RuntimeError("no model"), hangs, ValueError("x" * 9_000), TimeoutError("its own")])
async def test_one_that_fails_again_and_again_leaves_it_to_an_operator(failure: Any) -> None:
    broken = Spoken("broken", failure)
    ruling = await Panel([broken, Spoken("last", ALLOWED)], QUICK).judge(subject())
    assert (ruling.judgement.verdict, ruling.classifier, broken.asked) == ("review", "broken", 2)
    assert ruling.judgement.reason.startswith("broken could not judge it")
    assert len(ruling.judgement.reason) <= REASON_CHARACTERS_MAX


async def test_one_that_fails_once_is_asked_again() -> None:
    ruling = await Panel([Spoken("moody", RuntimeError("once"), REFUSED)], QUICK).judge(subject())
    assert ruling.judgement == REFUSED


async def test_one_that_fails_does_not_keep_a_later_one_from_refusing() -> None:
    ruling = await Panel([Spoken("broken", RuntimeError("x")), Spoken("last", REFUSED)], QUICK).judge(subject())
    assert (ruling.judgement.verdict, ruling.classifier) == ("refused", "last")


async def test_an_engine_that_is_away_is_waited_for_and_no_failure() -> None:
    with pytest.raises(StoreUnavailable):
        await Panel([Spoken("first", StoreUnavailable("away"))], QUICK).judge(subject())


async def test_what_is_no_verdict_or_far_too_much_is_bounded() -> None:
    odd: Any = Judgement("fine")  # type: ignore[arg-type]  # what somebody else's code may give
    assert (await Panel([Spoken("odd", odd)], QUICK).judge(subject())).judgement.verdict == "review"
    loud = Judgement("review", "y" * 9_000, None, {f"label {number}": number / 1_000 for number in range(100)})
    bounded = (await Panel([Spoken("loud", loud)], QUICK).judge(subject())).judgement
    assert (len(bounded.reason), len(bounded.labels)) == (REASON_CHARACTERS_MAX, LABELS_MAX)
    assert bounded.labels["label 99"] == 0.099


class TestPlugged:
    """A classifier out of a module that the settings name."""

    @pytest.fixture
    def named(self, monkeypatch: pytest.MonkeyPatch) -> Settings:
        module: Any = ModuleType("plugged_example")
        module.factory = lambda settings: Reader(settings.moderation.classifier_seconds)
        monkeypatch.setitem(__import__("sys").modules, "plugged_example", module)
        return with_classifiers("plugged_example:factory")

    async def test_it_is_made_with_the_settings_and_reads_the_best_picture(self, named: Settings) -> None:
        (classifier,) = named_classifiers(named)
        ruling = await Panel([classifier], QUICK).judge(subject())
        assert ruling.judgement == Judgement("review", "bytes of w320.jpeg", "other", {Label.SYNTHETIC: 3.0})

    @pytest.mark.parametrize("path", ["nowhere:factory", "json:nothing", "json", "", ":x"])
    def test_one_that_cannot_be_had_stops_the_worker_with_its_name(self, path: str) -> None:
        with pytest.raises(SettingsError, match="PHOTOLOG_MODERATION__CLASSIFIERS"):
            named_classifiers(with_classifiers(path))


class Reader:
    """A classifier as somebody else may write it."""

    name = "reader"

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def judge(self, subject: Subject) -> Judgement:
        likeness = subject.likeness
        assert likeness is not None
        assert subject.media == MEDIA
        data = await subject.fetch(likeness)
        return Judgement("review", data.decode(), "other", {Label.SYNTHETIC: self._seconds})


def with_classifiers(path: str) -> Settings:
    moderation = ModerationSettings.model_validate({"classifiers": f'["{path}"]', "classifier_seconds": 3})
    return Settings.model_construct(moderation=moderation)
