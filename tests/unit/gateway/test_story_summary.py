"""The sentence about a story's viewers."""

import pytest

from gateway.story_summary import viewed_by


@pytest.mark.parametrize(
    ("usernames", "views", "sentence"),
    [
        ([], 0, None),
        ([], 1, "Viewed by 1 person"),
        ([], 1_247, "Viewed by 1,247 people"),
        (["alice"], 1, "Viewed by @alice"),
        (["alice"], 2, "Viewed by @alice and 1 other"),
        (["alice", "bob"], 2, "Viewed by @alice and @bob"),
        (["alice", "bob"], 3, "Viewed by @alice, @bob and 1 other"),
        (["alice", "bob", "carl"], 1_249, "Viewed by @alice, @bob and 1,247 others"),
        # The list may be a moment ahead of the count.
        (["alice", "bob"], 1, "Viewed by @alice and @bob"),
    ],
)
def test_the_sentence_names_the_last_two_and_counts_the_others(
    usernames: list[str], views: int, sentence: str | None
) -> None:
    assert viewed_by(usernames, views) == sentence
