"""What can go wrong with the local stack, each with a message that a person can act on."""

from photolog.errors import PhotologError


class StackError(PhotologError):
    """The local stack cannot do what was asked; the message says why and what to do."""


class AlreadyUp(StackError):
    """A supervisor already runs in this home."""


class PortTaken(StackError):
    """A port that the stack needs is held by another process."""


class LayoutMismatch(StackError):
    """The home was written by a version that laid its data out differently."""
