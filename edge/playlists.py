"""HLS playlists (RFC 8216) behind signed addresses: what they name is signed as well, or no player would get it.

A public playlist needs none of this: what it names is beside it, by the same kind of address.
"""

import re
from collections.abc import Callable

CONTENT_TYPES = frozenset({"application/vnd.apple.mpegurl", "application/x-mpegurl"})
NAMED_SECONDS = 6 * 3_600
"""How long the addresses in a playlist are good: as long as somebody may be watching. Each is judged when it is asked
for, so it does not outlive its viewer's sight."""
_URI = re.compile(r'(?<=[:,])URI="([^"]+)"')


def signed_playlist(playlist: str, sign: Callable[[str], str]) -> str:
    """A playlist whose files have signed addresses.

    Args:
        playlist: as it is stored; it names files of its own record by their names.
        sign: the address of a name.
    """
    return "".join(_line(line, sign) for line in playlist.splitlines(keepends=True))


def _line(line: str, sign: Callable[[str], str]) -> str:
    name = line.strip()
    if not name:
        return line
    if name.startswith("#"):
        return _URI.sub(lambda found: f'URI="{sign(found[1])}"', line)
    return line.replace(name, sign(name), 1)
