"""The classifiers in turn, and what becomes of one that fails: an operator decides, and nothing is let through."""

import asyncio
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from moderation.classifier import Classifier, Judgement, Subject
from moderation.metrics import FAILED, SECONDS
from photolog.errors import SettingsError
from photolog.settings import Settings
from photolog.stall import TRANSIENT

REASON_CHARACTERS_MAX = 500
LABELS_MAX = 32
_PAUSE_SECONDS = 0.2
_SEVERITY = {"allowed": 0, "review": 1, "refused": 2}
logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ruling:
    """A judgement, and whose it is."""

    classifier: str
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Patience:
    """What a classifier is given.

    Args:
        seconds: for one attempt.
        attempts: before an operator decides in its place.
    """

    seconds: float
    attempts: int


class Panel:
    """Asks classifiers one after the other. The first that refuses has the last word; one that is in doubt does not
    keep a later one from refusing.

    Args:
        classifiers: at least one, in the order in which they are asked.
        patience: with each.
    """

    def __init__(self, classifiers: Sequence[Classifier], patience: Patience) -> None:
        self._classifiers = tuple(classifiers)
        self._patience = patience

    async def judge(self, subject: Subject) -> Ruling:
        """The verdict about media.

        Raises:
            StoreUnavailable, LogUnavailable: an engine that a classifier needs is away; ask again.
        """
        gravest: Ruling | None = None
        for classifier in self._classifiers:
            ruling = Ruling(classifier.name, _bounded(await self._asked(classifier, subject)))
            if gravest is None or _gravity(ruling) > _gravity(gravest):
                gravest = ruling
            if ruling.judgement.verdict == "refused":
                break
        if gravest is None:
            raise ValueError("a panel has at least one classifier")
        return gravest

    async def _asked(self, classifier: Classifier, subject: Subject) -> Judgement:
        failure = ""
        for attempt in range(self._patience.attempts):
            if attempt:
                await asyncio.sleep(_PAUSE_SECONDS * attempt)
            try:
                async with asyncio.timeout(self._patience.seconds):
                    with SECONDS.labels(classifier.name).time():
                        return await classifier.judge(subject)
            except TRANSIENT:
                raise
            except TimeoutError:
                failure = f"it took longer than {self._patience.seconds:g} s"
            # A classifier is others' code: whatever it raises, a person looks at what it could not judge.
            except Exception as error:  # noqa: BLE001
                failure = repr(error)
            FAILED.labels(classifier.name).inc()
            logger.warning(
                "classifier-failed", classifier=classifier.name, media_id=subject.media.media_id, failure=failure
            )
        return Judgement("review", f"{classifier.name} could not judge it: {failure}")


def named_classifiers(settings: Settings) -> list[Classifier]:
    """The classifiers of the settings.

    Raises:
        SettingsError: one cannot be had; the message names it.
    """
    return [_factory(path)(settings) for path in settings.moderation.classifiers]


def _factory(path: str) -> Callable[[Settings], Classifier]:
    module, _, name = path.partition(":")
    try:
        factory: Callable[[Settings], Classifier] = getattr(importlib.import_module(module), name)
    # Importing runs others' code, which may raise anything.
    except Exception as error:
        raise SettingsError(
            f"PHOTOLOG_MODERATION__CLASSIFIERS: {path!r} is no package.module:factory: {error}"
        ) from error
    return factory


def _gravity(ruling: Ruling) -> int:
    return _SEVERITY[ruling.judgement.verdict]


def _bounded(judgement: Judgement) -> Judgement:
    """A judgement that fits into an event; what is no judgement at all is a failure for an operator."""
    if judgement.verdict not in _SEVERITY:
        return Judgement("review", f"{judgement.verdict!r} is no verdict")
    labels = dict(sorted(judgement.labels.items(), key=lambda one: -one[1])[:LABELS_MAX])
    return Judgement(judgement.verdict, judgement.reason[:REASON_CHARACTERS_MAX], judgement.rule, labels)
