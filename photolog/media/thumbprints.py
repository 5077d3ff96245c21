"""Where thumbprints lie: a photograph's beside its files, and that of a blocked one in a place of its own.

The second is there for as long as the block is: the files of what was taken down go when its post or its owner does,
and whoever uploads it again a little changed must still be recognised.
"""

THUMBPRINT = "thumbprint"


def thumbprint_beside(object_key: str) -> str:
    """The key of a photograph's thumbprint, by that of one of its files."""
    return f"{object_key.rpartition('/')[0]}/{THUMBPRINT}"


def blocked_thumbprint_key(digest: str) -> str:
    """The key under which the thumbprint of a blocked content is kept."""
    return f"blocked/{digest}/{THUMBPRINT}"
