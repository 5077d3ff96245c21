"""What people write: cleaned text, user names, and the hashtags and mentions in a caption.

Where a hashtag or a mention begins and ends is twitter-text's rule (github.com/twitter/twitter-text, `js/src/regexp`),
and its conformance suite is among our tests. What differs is ours on purpose:
- A mention names an account here, so it has the form of our user names (`USERNAME_FORM`: 3 to 30 characters, dots
  inside) where twitter-text has 1 to 20 characters and no dot. A run that is no user name mentions nobody; it is
  never cut to one that fits. Mentions are given in lower case, as user names are.
- Letters and marks are those of today's Unicode, without private-use characters.
- Hashtags are given without their sign and compared without case: NFC of the case folding (Unicode, D145).
- Nothing in a URL is a hashtag or a mention, but here a URL is found in linear time: any host behind `http(s)://`, or
  an ASCII host with a known top-level domain. The package twitter-text-parser knows those domains; its own URL pattern
  takes seconds on a hostile caption, and it has no hashtags or mentions.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import regex
from twitter_text.regexp.valid_cctld import valid_cctld
from twitter_text.regexp.valid_gtld import valid_gtld

from photolog.errors import Invalid

CAPTION_CHARACTERS_MAX = 2_200
USERNAME_FORM = regex.compile(r"(?=.{3,30}\Z)[a-z0-9_]+(?:\.[a-z0-9_]+)*")
"""To `fullmatch`. Dots stand alone and inside, so that the full stop behind a mention is not part of it."""

_LONGEST_DECOMPOSITION = 4  # One character comes from at most four, so text beyond that is too long in any form.
_UNSAFE = regex.compile(r"[\p{Cs}\uFFFE\uFEFF\uFFFF]|(?![\t\n])\p{Cc}")

_SPECIAL = r"_\u200c\u200d\ua67e\u05be\u05f3\u05f4\uff5e\u301c\u309b\u309c\u30a0\u30fb\u3003\u0f0b\u0f0c\u00b7"
_LETTER = r"\p{L}\p{M}"
_WORD = rf"{_LETTER}\p{{Nd}}{_SPECIAL}"
_HASHTAG = regex.compile(
    rf"(?:^|[\uFE0E\uFE0F]|[^{_WORD}&])"
    rf"(?P<entity>[#＃](?![\uFE0F\u20E3])(?P<name>(?:(?![{_LETTER}])[{_WORD}])*+[{_LETTER}][{_WORD}]*+))"
    r"(?P<spoilt>(?=[#＃]|://))?+"
)
_ACCENTED = (
    r"\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u00FF\u0100-\u024F\u0253\u0254\u0256\u0257\u0259\u025B\u0263\u0268\u026F"
    r"\u0272\u0289\u028B\u02BB\u0300-\u036F\u1E00-\u1EFF"
)
_MENTION = regex.compile(
    r"(?:^|[^a-zA-Z0-9_!#$%&*@＠]|(?:^|[^a-zA-Z0-9_+~.-])[rR][tT]:?)"
    r"(?P<entity>[@＠](?P<name>[a-zA-Z0-9_]++(?:\.[a-zA-Z0-9_]++)*+))"
    rf"(?P<spoilt>(?:/[a-zA-Z])|(?=[@＠{_ACCENTED}]|://))?+"
)
_PATH = rf"a-zA-Z0-9\p{{Cyrillic}}{_ACCENTED}!*';:=+,.$/%#\[\]\-\u2013_~@|&"
_URL = regex.compile(
    r"(?<![A-Za-z0-9@＠$#＃])"
    r"(?:https?://[^\s/?#＃@＠]++|(?<![-_./])(?:[a-z0-9_-]++\.)+\L<domains>(?![0-9a-z@+-])(?::[0-9]++)?+)"
    rf"(?:/(?:[{_PATH}]|\([{_PATH}]*+(?:\([{_PATH}]*+\)[{_PATH}]*+)?+\))*+)?+"
    r"(?:\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*+)?+",
    regex.IGNORECASE,
    domains=[
        domain
        for known in (valid_gtld, valid_cctld)
        for domain in known.pattern.removeprefix("(?:(?:").partition(")(?=")[0].split("|")
    ],
)


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption and what it names.

    Args:
        text: in NFC, as it is shown.
        hashtags: case-folded, without their sign, in order of first appearance, each once.
        mentions: user names in lower case, likewise.
    """

    text: str
    hashtags: tuple[str, ...]
    mentions: tuple[str, ...]


def read_caption(text: str, field: str = "caption") -> Caption:
    """Clean a caption and find its hashtags and mentions.

    Args:
        text: as it was sent.
        field: JSON name of the field, for the error.

    Raises:
        Invalid: see `clean_text`; the bound is `CAPTION_CHARACTERS_MAX`.
    """
    cleaned = clean_text(text, field, CAPTION_CHARACTERS_MAX)
    entities = _entities(cleaned)
    hashtags = (fold_hashtag(entity.name) for entity in entities if entity.kind == "hashtag")
    mentions = (entity.name.lower() for entity in entities if entity.kind == "mention")
    named = (name for name in mentions if USERNAME_FORM.fullmatch(name))
    return Caption(cleaned, tuple(dict.fromkeys(hashtags)), tuple(dict.fromkeys(named)))


def clean_text(text: str, field: str, characters_max: int) -> str:
    """Text in NFC with `\\n` for line ends.

    A character is a Unicode code point of that form: what JavaScript counts by `[...text.normalize()].length`. Not
    what a reader sees as one, since any number of marks may sit on one letter; not UTF-16 units or bytes, since an
    emoji is not two letters.

    Args:
        text: as it was sent.
        field: JSON name of the field, for the error.
        characters_max: how many characters it may have.

    Raises:
        Invalid: `text-too-long`; or `text-not-allowed` for control characters, lone surrogates and noncharacters.
    """
    too_long = Invalid("text-too-long", f"at most {characters_max:,} characters", field)
    if len(text) > characters_max * _LONGEST_DECOMPOSITION:
        raise too_long
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    if _UNSAFE.search(lines):
        raise Invalid("text-not-allowed", "control characters and broken characters are not allowed", field)
    cleaned = unicodedata.normalize("NFC", lines)
    if len(cleaned) > characters_max:
        raise too_long
    return cleaned


def fold_hashtag(name: str) -> str:
    """The one form of all spellings of a hashtag that differ in case or composition only."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


@dataclass(frozen=True, slots=True, order=True)
class _Entity:
    start: int
    end: int
    kind: str
    name: str


def _entities(text: str) -> list[_Entity]:
    """Hashtags, mentions and URLs, in order; of two that overlap the one that begins first."""
    found = [*_named(_HASHTAG, "hashtag", text), *_named(_MENTION, "mention", text)]
    if not found:
        return []
    found += (_Entity(match.start(), match.end(), "url", "") for match in _URL.finditer(text))
    kept: list[_Entity] = []
    for entity in sorted(found):
        if not kept or kept[-1].end <= entity.start:
            kept.append(entity)
    return kept


def _named(pattern: "regex.Pattern[str]", kind: str, text: str) -> Iterator[_Entity]:
    for match in pattern.finditer(text):
        if match["spoilt"] is None:
            yield _Entity(match.start("entity"), match.end("entity"), kind, match["name"])
