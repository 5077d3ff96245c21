"""The sizes that a picture is had in by anybody; any other needs a signed address.

They are few, because each is made, and kept by caches, once for every picture that is asked for in it.
"""

SQUARES = ((150, 150), (320, 320), (640, 640), (1080, 1080), (2048, 2048))
"""of avatars, of a grid, of a page; as a box to fit in, of anything"""
PORTRAITS = ((320, 400), (640, 800), (1080, 1350))
"""4:5, as tall as a feed shows"""
LANDSCAPES = ((320, 180), (640, 360), (1200, 630), (1920, 1080))
"""16:9, and what link previews take"""

LISTED: frozenset[tuple[int, int]] = frozenset((*SQUARES, *PORTRAITS, *LANDSCAPES))
