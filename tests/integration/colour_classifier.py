"""A classifier that tests plug into the moderation worker: what is mostly magenta is for an operator to decide, and
before what is mostly yellow it fails."""

import io

from PIL import Image

from moderation.classifier import Classifier, Judgement, Label, Subject
from photolog.settings import Settings

MAGENTA, YELLOW = (255, 0, 255), (255, 255, 0)
_NEAR = 40


class Colours:
    """A `moderation.classifier.Classifier`."""

    name = "colours"

    async def judge(self, subject: Subject) -> Judgement:
        """Look at the average of its best picture."""
        likeness = subject.likeness
        if likeness is None:
            return Judgement("allowed")
        image = Image.open(io.BytesIO(await subject.fetch(likeness))).convert("RGB").resize((1, 1))
        colour = image.tobytes()
        if _is_near(colour, YELLOW):
            raise RuntimeError("it hurts the eyes")
        if _is_near(colour, MAGENTA):
            return Judgement("review", "it is magenta", "other", {Label.SYNTHETIC: 0.75})
        return Judgement("allowed")


def _is_near(colour: bytes, other: tuple[int, int, int]) -> bool:
    return all(abs(one - two) < _NEAR for one, two in zip(colour, other, strict=True))


def colours(settings: Settings) -> Classifier:
    """What the settings name."""
    return Colours()
