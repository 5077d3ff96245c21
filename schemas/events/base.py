"""What every event has, and how its fields are marked."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import msgspec

Snowflake = int  # 64-bit, time-ordered: photolog/ids.py


@dataclass(frozen=True, slots=True)
class Personal:
    """Marks a field as personal data.

    Args:
        subject: the field of the same event that names the account whose data it is.
    """

    subject: str


HouseRule = Literal["spam", "nudity", "hate", "violence", "harassment", "self_harm", "false_information", "other"]
"""What content or an account may break."""

Form = Literal["plain", "account", "post", "comment"]
"""How analysts get a field: as it is, or as a pseudonym of the account, post or comment whose id it holds."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Marks a field as one that analysts get.

    Args:
        form: how they get it.
        meaning: what it is, for the dictionary that they read.
    """

    form: Form
    meaning: str


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An immutable fact in the log.

    `type` is its name on the wire, `capability` the folder of its schema, `analysts` whether it is served to analysts
    where it is public (gateway/public_events.py).
    """

    type: ClassVar[str]
    capability: ClassVar[str]
    analysts: ClassVar[bool] = False
