"""Captions: what counts as a hashtag or a mention, and what may be written at all."""

import json
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from photolog.errors import Invalid
from photolog.text import CAPTION_CHARACTERS_MAX, USERNAME_FORM, clean_text, fold_hashtag, read_caption

CONFORMANCE = json.loads((Path(__file__).parent / "twitter_text_conformance.json").read_text())


def described(case: dict[str, object]) -> str:
    return str(case["description"])


@pytest.mark.parametrize("case", CONFORMANCE["hashtags"], ids=described)
def test_hashtags_are_those_of_twitter_text(case: dict[str, list[str]]) -> None:
    wanted = dict.fromkeys(fold_hashtag(name) for name in case["expected"])
    assert read_caption(str(case["text"])).hashtags == tuple(wanted)


@pytest.mark.parametrize("case", CONFORMANCE["mentions"], ids=described)
def test_mentions_are_those_of_twitter_text(case: dict[str, list[str]]) -> None:
    assert read_caption(str(case["text"])).mentions == tuple(dict.fromkeys(case["expected"]))


@pytest.mark.parametrize(
    ("caption", "hashtags"),
    [
        ("#1", ()),
        ("a#b", ()),
        ("#tag's", ("tag",)),
        ("#tag-line", ("tag",)),
        ("＃全角", ("全角",)),
        ("#one#two", ()),
        ("#️⃣ and #⃣", ()),
        ("#😀", ()),
        ("#cat😀", ("cat",)),
        ("&#39;", ()),
        ("#Straße #STRASSE", ("strasse",)),
        ("#Ａ #ａ", ("ａ",)),
        ("#Zoo #zoo #ZOO #ape", ("zoo", "ape")),
        ("#cafe\u0301 #CAFÉ", ("café",)),
        # A dotted capital I folds to an i with a dot of its own (Unicode, CaseFolding.txt, C and F).
        ("#İZMİR #i\u0307zmi\u0307r #izmir", ("i\u0307zmi\u0307r", "izmir")),
        ("#東京の夜 #東京タワー", ("東京の夜", "東京タワー")),
        ("https://example.com/page#part #real", ("real",)),
        ("http://localhost/#part", ()),
        ("example.com/?q=#part", ()),
        ("see example.notadomain/#part", ("part",)),
        ("(https://example.com/a_(b))#real", ("real",)),
    ],
)
def test_hashtags_by_example(caption: str, hashtags: tuple[str, ...]) -> None:
    assert read_caption(caption).hashtags == hashtags


@pytest.mark.parametrize(
    ("caption", "mentions"),
    [
        ("by @anna.", ("anna",)),
        ("by @anna.lee, @bob_2", ("anna.lee", "bob_2")),
        ("@Anna @ANNA", ("anna",)),
        ("＠anna", ("anna",)),
        ("@anna...great", ("anna",)),
        ("anna@example.com", ()),
        ("@anna@example.com", ()),
        ("@jo", ()),
        ("@" + "a" * 30, ("a" * 30,)),
        ("@" + "a" * 31, ()),
        ("@" + "a" * 10 + "." + "b" * 20, ()),
        ("@anna/friends", ()),
        ("https://example.com/@anna @bob", ("bob",)),
    ],
)
def test_mentions_by_example(caption: str, mentions: tuple[str, ...]) -> None:
    assert read_caption(caption).mentions == mentions


@pytest.mark.parametrize("name", ["abc", "a_b", "a.b", "1.2", "_._", "a" * 30])
def test_user_names_of_the_form_can_be_mentioned(name: str) -> None:
    assert USERNAME_FORM.fullmatch(name)
    assert read_caption(f"hello @{name}.").mentions == (name,)


@pytest.mark.parametrize("name", ["ab", "a" * 31, ".abc", "abc.", "a..b", "Abc", "abç", "a b", "a-b", "abc\n"])
def test_other_user_names_are_refused(name: str) -> None:
    assert not USERNAME_FORM.fullmatch(name)


def test_a_caption_is_counted_in_code_points_of_its_composed_form() -> None:
    full = "e\u0301" * CAPTION_CHARACTERS_MAX
    assert len(read_caption(full).text) == CAPTION_CHARACTERS_MAX
    assert len(read_caption("😀" * CAPTION_CHARACTERS_MAX).text) == CAPTION_CHARACTERS_MAX
    with pytest.raises(Invalid) as refused:
        read_caption(full + "!")
    assert (refused.value.kind, refused.value.field) == ("text-too-long", "caption")


@pytest.mark.parametrize("broken", ["\x00", "\ud800", "\x1b[31m", "\x85", "\ufeff", "\uffff"])
def test_broken_and_control_characters_are_refused(broken: str) -> None:
    with pytest.raises(Invalid) as refused:
        clean_text(f"a{broken}b", "bio", 100)
    assert (refused.value.kind, refused.value.field) == ("text-not-allowed", "bio")


def test_line_ends_become_one_kind() -> None:
    assert clean_text("a\r\nb\rc\nd", "caption", 100) == "a\nb\nc\nd"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\uffff\ufffe"), max_size=60))
@example("#İ #i̇")
@example("#ŉ")
@example("#ᾳ")
def test_reading_a_caption_again_finds_the_same(text: str) -> None:
    caption = read_caption("#" + text)
    again = read_caption(caption.text)
    assert again == caption
    assert unicodedata.is_normalized("NFC", caption.text)
    for hashtag in caption.hashtags:
        assert fold_hashtag(hashtag) == hashtag
        assert read_caption(f"#{hashtag}").hashtags == (hashtag,)


@pytest.mark.parametrize(
    "hostile",
    ["a." * 1095, "www." * 547, "#" * 2190, "_#" * 1095, "a.co/((" * 312, "日本." * 730, "@" + "a." * 1094, "-" * 2190],
)
def test_a_hostile_caption_is_read_in_bounded_time(hostile: str) -> None:
    before = time.process_time()
    read_caption("@a #b " + hostile)
    assert time.process_time() - before < 2  # The library's own URL pattern takes over ten seconds on some of these.
