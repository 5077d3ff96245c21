"""The errors that photolog raises on purpose.

PhotologError
├── SettingsError            a setting is missing or malformed; the process does not start
├── LogUnavailable           the log did not acknowledge in time; nothing is promised, try again
├── StoreUnavailable         a store did not answer in time; try again
├── StoreMismatch            a store does not know what we ask of it: its tables are those of another version
├── PositionTimeout          a read model did not reach the position that a reader waited for
├── Corruption               our own data breaks its own rules; the process stops
├── UndecodableRecord        a record's bytes are not an event; it becomes a dead letter
└── Refusal                  a request that may not be done; gateway/errors.py maps each to an HTTP answer
    ├── Invalid              the request is malformed; `field` names the offender
    ├── Unauthenticated      no valid token
    ├── Forbidden            the caller may not do this to something it may see
    ├── NotFound             it does not exist, or the caller may not know that it does
    ├── Conflict             it contradicts what is there
    ├── Gone                 it was there, and is kept no more
    ├── Busy                 this process does as much of it as it can; try again
    └── Limited              too large, or too many
        └── TooSoon          too many in too short a time; it says when to try again
"""


class PhotologError(Exception):
    """Root of every error that photolog raises on purpose."""


class SettingsError(PhotologError):
    """A setting is missing or malformed."""


class LogUnavailable(PhotologError):
    """The log did not acknowledge an append within its bound."""


class StoreUnavailable(PhotologError):
    """A store did not answer within its bound."""


class StoreMismatch(PhotologError):
    """A store refused a statement of ours: its tables, or our rights in it, are not what this version expects."""


class PositionTimeout(PhotologError):
    """A read model did not reach a position within the wait."""


class Corruption(PhotologError):
    """Our own data breaks its own rules."""


class UndecodableRecord(PhotologError):
    """The bytes of a record are not an event that this version knows."""


class Refusal(PhotologError):
    """A request that may not be done.

    Args:
        kind: stable slug of the problem, the last part of its RFC 9457 `type`.
        detail: one sentence for the person who reads it.
        field: JSON name of the offending field, where there is one.
    """

    def __init__(self, kind: str, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.field = field


class Invalid(Refusal):
    """The request is malformed."""


class Unauthenticated(Refusal):
    """No valid token came with the request."""


class Forbidden(Refusal):
    """The caller may not do this to something that it may see."""


class NotFound(Refusal):
    """It does not exist, or the caller may not know that it does."""


class Conflict(Refusal):
    """The request contradicts what is there."""


class Gone(Refusal):
    """It was there, and is kept no more."""


class Busy(Refusal):
    """This process does as much of it at once as it can."""


class Limited(Refusal):
    """Too large, or too many."""


class TooSoon(Limited):
    """Too many in too short a time.

    Args:
        retry_after_seconds: when it may be tried again.
        policies: the limits that were met, by name.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        field: str | None = None,
        *,
        retry_after_seconds: int,
        policies: tuple[str, ...] = (),
    ) -> None:
        super().__init__(kind, detail, field)
        self.retry_after_seconds = retry_after_seconds
        self.policies = policies
