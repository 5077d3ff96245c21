"""docs/INVARIANTS.md names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/INVARIANTS.md"


def named_tests() -> list[tuple[str, str]]:
    """(file, test) of every reference; a reference without a file continues the one before in its row."""
    found = []
    for line in PAGE.read_text().splitlines():
        path = ""
        for named, test in re.findall(r"`(tests/[\w/]+\.py)?::(\w+)`", line):
            path = named or path
            found.append((path, test))
    return found


def test_every_test_that_is_named_exists() -> None:
    missing = [
        f"{path}::{test}"
        for path, test in named_tests()
        if not (ROOT / path).is_file()
        or not re.search(rf"^(async def |def |class )?{test}\b", (ROOT / path).read_text(), re.MULTILINE)
    ]
    assert missing == []


def test_every_rule_names_a_test() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and not line.startswith("| rule")]
    assert rows
    assert [row for row in rows if "::" not in row] == []
