"""What `export` and `query` refuse before they reach for any engine, and how answers are printed."""

from datetime import date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analytics.database import Answer
from cli.app import app
from cli.query_output import Format, write
from photolog.errors import Invalid, NotFound


@pytest.fixture(autouse=True)
def no_local_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOLOG_HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export", "--types", "post.lked"), "there is no event type post.lked; there are account.created, "),
        (("export", "--types", ","), "there is no event type in it"),
        (("export", "--until", "yesterday"), "is no time"),
        (("query", "SELECT 1", "--limit", "0"), "--limit"),
        (("query", "SELECT 1", "--format", "xml"), "--format"),
    ],
)
def test_an_option_that_says_nothing_is_refused(arguments: tuple[str, ...], said: str) -> None:
    answer = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200", "TERM": "dumb"})
    assert answer.exit_code == 2
    assert said in answer.output


@pytest.mark.parametrize(
    ("sql", "kind", "said"),
    [
        ("SELECT * FROM post_saved", NotFound, "no table post_saved"),
        ("DROP TABLE post_liked", Invalid, "one plain SELECT"),
        ("SELECT nothing FROM post_liked", Invalid, "nothing"),
        ("SELECT * FROM read_text('/etc/hostname')", Invalid, "Permission"),
    ],
)
def test_a_query_that_cannot_be_answered_is_refused_at_once(sql: str, kind: type[Exception], said: str) -> None:
    answer = CliRunner().invoke(app, ["query", sql])
    assert isinstance(answer.exception, kind)
    assert said in str(answer.exception)


ANSWER = Answer(
    ("day", "time", "names", "media", "share", "none", "text"),
    [(date(2026, 11, 30), datetime(2026, 11, 30, 13), ["a", "b"], {"width": 2}, 0.5, None, "\x1b[2Jred")],
    is_cut=True,
)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (
            "json",
            '{"day":"2026-11-30","time":"2026-11-30 13:00:00","names":["a","b"],"media":{"width":2},"share":0.5,'
            '"none":null,"text":"\\u001b[2Jred"}\n',
        ),
        (
            "csv",
            "day,time,names,media,share,none,text\n"
            '2026-11-30,2026-11-30 13:00:00,"[""a"",""b""]","{""width"":2}",0.5,,\x1b[2Jred\n',
        ),
    ],
)
def test_answers_are_printed_as_they_are(form: Format, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(ANSWER, form)
    printed = capsys.readouterr()
    assert printed.out == said
    assert "more than these 1 rows" in printed.err


def test_a_table_tells_a_terminal_nothing_but_text(capsys: pytest.CaptureFixture[str]) -> None:
    write(ANSWER, "table")
    assert "\x1b[2J" not in capsys.readouterr().out
