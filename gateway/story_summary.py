"""How many saw a story, and who last, in a sentence for its owner."""

from collections.abc import Sequence

NAMES_MAX = 2


def viewed_by(usernames: Sequence[str], views: int) -> str | None:
    """The sentence: "Viewed by @alice, @bob and 1,247 others".

    Args:
        usernames: of the last viewers that may be named; the first `NAMES_MAX` are.
        views: how many saw it, those named included.

    Returns:
        None where nobody saw it.
    """
    named = [f"@{name}" for name in usernames[:NAMES_MAX]]
    views = max(views, len(named))
    if views == 0:
        return None
    if not named:
        return f"Viewed by {views:,} {'person' if views == 1 else 'people'}"
    others = views - len(named)
    if others == 0:
        return f"Viewed by {' and '.join(named)}"
    return f"Viewed by {', '.join(named)} and {others:,} {'other' if others == 1 else 'others'}"
