"""`lineage` and `feed-at`: what they refuse, in words, before anything is connected."""

import io

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cli import app as command_line
from cli.log_options import plain
from cli.reading_progress import ReadingProgress


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("lineage",), "or a row with --row"),
        (("lineage", "0199-no"), "it is a UUID"),
        (("lineage", "0199f4a0-0000-7000-8000-000000000000", "--row", "posts:1"), "or a row with --row"),
        (("lineage", "--row", "dreams:1"), "there is no projection"),
        (("lineage", "--row", "likes:1"), "actor_id/post_id"),
        (("feed-at", "ansel", "yesterday"), "is no time"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(arguments: tuple[str, ...], word: str) -> None:
    answer = CliRunner().invoke(command_line.app, list(arguments), env={"COLUMNS": "300", "TERM": "dumb"})
    assert answer.exit_code == 2
    assert word in " ".join(answer.output.replace("│", " ").split())


def test_progress_without_a_terminal_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    progress = ReadingProgress()
    with progress.shown():
        progress("posts", 1, 2)
    assert capsys.readouterr() == ("", "")


def test_what_is_printed_goes_to_the_output_also_while_the_bar_is_on_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal = io.StringIO()
    progress = ReadingProgress(Console(file=terminal, force_terminal=True, width=100))
    with progress.shown():
        progress("posts", 1, 2)
        progress.print('{"told":"note"}')
        progress("posts", 2, 2)
    assert capsys.readouterr().out == '{"told":"note"}\n'
    assert "reading posts" in terminal.getvalue()
    assert "told" not in terminal.getvalue()


def test_text_that_a_terminal_would_act_on_is_escaped() -> None:
    assert plain("a\x1b[31mé\x9b\u202e") == "a\\x1b[31mé\\x9b\\u202e"
