"""What a classifier is: something that looks at media and says whether it may be published.

`photolog` ships one, the block-list (moderation/block_list.py). Others are named in the settings, each by a factory
`package.module:factory` that takes the settings and gives a `Classifier`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from photolog.media.likenesses import LIKENESSES
from schemas.events import HouseRule, MediaTranscodingCompleted, MediaVariant, Verdict


class Label(StrEnum):
    """What classifiers tell of what they see; a name of its own where none of these fits."""

    SYNTHETIC = "synthetic"
    """made or changed by a model so that it passes for a recording: deepfakes"""
    NUDITY = "nudity"
    SEXUAL = "sexual"
    MINOR = "minor"
    VIOLENCE = "violence"
    GORE = "gore"
    WEAPON = "weapon"
    HATE_SYMBOL = "hate_symbol"
    SELF_HARM = "self_harm"
    DRUGS = "drugs"
    SPAM = "spam"
    BLOCKED = "blocked"
    """known from the block-list"""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a classifier makes of media.

    Args:
        verdict: `allowed`, `refused`, or `review` where an operator is to decide.
        reason: why, in a sentence for operators.
        rule: the house rule that is broken, where one is.
        labels: what was seen, and how sure the classifier is, 0 to 1; `Label` names most of it.
    """

    verdict: Verdict
    reason: str = ""
    rule: HouseRule | None = None
    labels: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subject:
    """Media that is to be judged.

    Args:
        media: what is known of it: whose it is, its kind, sizes in pixels, duration, files and fingerprints.
        fetch: the bytes of one of its files. Raises StoreUnavailable while the bucket is away, and ObjectAbsent where
            there is no such file.
    """

    media: MediaTranscodingCompleted
    fetch: Callable[[MediaVariant], Awaitable[bytes]]

    @property
    def files(self) -> Sequence[MediaVariant]:
        """Its files: pictures of a photograph; renditions, sound, playlists, poster and preview of a video."""
        return self.media.variants

    @property
    def likeness(self) -> MediaVariant | None:
        """The file that shows it best as one picture: a photograph's largest JPEG, a video's poster."""
        by_name = {one.name: one for one in self.files}
        return next((by_name[name] for name in LIKENESSES if name in by_name), None)


class Classifier(Protocol):
    """Judges media. It may be asked again about the same, also by several workers at once."""

    @property
    def name(self) -> str:
        """What its verdicts are known by."""

    async def judge(self, subject: Subject) -> Judgement:
        """Judge. It must let go of the loop: what takes long belongs into a thread or another process.

        Whatever it raises is taken for a failure of its own, but for StoreUnavailable and LogUnavailable: an engine is
        away, and the worker waits for it.
        """
