"""How moderation workers read what became of uploads: a group of their own."""

from photolog.settings import KafkaSettings
from schemas.topics import MEDIA_COMPLETED
from transcode.intake import Intake

GROUP = "photolog-moderation"


def moderation_intake(kafka: KafkaSettings) -> Intake:
    """The member of the group that this process is."""
    return Intake(kafka, GROUP, MEDIA_COMPLETED)
