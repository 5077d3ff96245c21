"""Keys of originals."""

import pytest

from photolog.media.originals import media_of, raw_key


def test_a_key_names_owner_and_media() -> None:
    assert raw_key(7, 42) == "raw/7/42"
    assert media_of(raw_key(7, 42)) == 42


@pytest.mark.parametrize("key", ["raw/7", "raw/7/42/x", "raw/7/042", "processed/7/42", "raw/7/x", ""])
def test_what_is_no_uploads_key_has_no_media(key: str) -> None:
    assert media_of(key) is None
