"""The guides work: each is carried out as it is written, on a copy of the tree, and its own tests are run there.

It needs no engine, and lies here because it takes longer than all that `--fast` runs may.
"""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "docs/guides").glob("*.md"))
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LEFT_BEHIND = shutil.ignore_patterns(".photolog", ".git", "__pycache__", ".*_cache", ".hypothesis")


@dataclass(frozen=True)
class Block:
    """A block of a guide: its language, the file that it names, its text."""

    language: str
    path: str
    text: str


def blocks(guide: Path) -> list[Block]:
    """All blocks, in order."""
    return [Block(*match) for match in _BLOCK.findall(guide.read_text())]


def patched(before: str, diff: str) -> str:
    """A text with the lines of a diff changed; where they stand, the lines themselves tell."""
    lines = [line or " " for line in diff.splitlines()]
    old = "".join(line[1:] + "\n" for line in lines if line[0] in " -")
    new = "".join(line[1:] + "\n" for line in lines if line[0] in " +")
    assert before.count(old) == 1, f"these lines stand in it {before.count(old)} times:\n{old}"
    return before.replace(old, new)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the tree, with this environment as its own."""
    copy = tmp_path / "photolog"
    shutil.copytree(ROOT, copy, ignore=_LEFT_BEHIND)
    (copy / ".photolog").mkdir()
    (copy / ".photolog/venv").symlink_to(sys.prefix)
    shutil.copy(ROOT / "requirements.lock", copy / ".photolog/venv.lock")
    return copy


def carry_out(tree: Path, block: Block) -> None:
    """Do what a block says."""
    file = tree / block.path
    match block.language:
        case "diff":
            file.write_text(patched(file.read_text(), block.text))
        case "python":
            assert not file.exists(), f"{block.path} is there already"
            file.write_text(block.text)
        case "sh":
            for line in block.text.splitlines():
                _run(tree, line)
        case other:
            raise AssertionError(f"nobody carries out a block of {other}")


def _run(tree: Path, line: str) -> None:
    done = subprocess.run(line.split(), cwd=tree, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, f"{line}\n{done.stdout[-6_000:]}\n{done.stderr[-3_000:]}"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_a_guide_can_be_followed_to_its_end(guide: Path, tree: Path) -> None:
    found = blocks(guide)
    assert {block.language for block in found} == {"diff", "python", "sh"}
    for block in found:
        carry_out(tree, block)
    _run(tree, f"{sys.executable} -m ruff check --quiet .")
    _run(tree, f"{sys.executable} -m ruff format --check --quiet .")


def test_lines_that_stand_elsewhere_by_now_are_told() -> None:
    assert patched("a\nb\nc\n", " a\n-b\n+x\n") == "a\nx\nc\n"
    with pytest.raises(AssertionError, match="0 times"):
        patched("a\n", " b\n+c\n")
    with pytest.raises(AssertionError, match="2 times"):
        patched("a\na\n", " a\n+c\n")
