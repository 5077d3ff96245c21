"""What can go wrong in the edge beside what the kernel's errors say."""

from photolog.errors import PhotologError


class UnreadableSource(PhotologError):
    """A stored file of ours that a picture is made of is not there, or is no picture."""
