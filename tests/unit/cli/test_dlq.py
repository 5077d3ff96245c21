"""What `dlq` prints of letters, and what it refuses before it asks any engine."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cli.app import app
from cli.dlq import named
from cli.dlq_view import letter_lines, letter_page, letters_table, page_table
from photolog.errors import Conflict, NotFound
from photolog.log.letters import Letter
from photolog.log.record import EncodedRecord, StoredRecord
from streams.letters import Chain
from tests.unit.streams.river import NOW_MS, SERDE, encoded
from tests.unit.streams.scenario import ANNA, account

POISON = b"\x1b[31m[red]\xff"


def letter(offset: int, original: EncodedRecord, reason: str, value: bytes | None = None) -> Letter:
    stored = StoredRecord("accounts", 1, offset, original.key, value or original.value, original.headers, NOW_MS)
    return Letter(stored, "accounts", reason, True, (1, offset))


@pytest.fixture
def chain() -> Chain:
    made = encoded(account(ANNA))
    return Chain(
        "accounts",
        "accounts",
        made.key,
        [
            letter(4, made, "undecodable: [b]magic", POISON),
            letter(5, made, "parked behind accounts/1/4"),
            letter(9, encoded(account(ANNA)), "parked behind accounts/1/4"),
        ],
    )


def printed(renderable: object) -> str:
    console = Console(file=io.StringIO(), width=400)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_list_has_a_row_for_each_key_and_a_line_for_each_letter(chain: Chain) -> None:
    (_, row) = printed(letters_table([chain])).strip().splitlines()
    cells = ["accounts/1/4", "accounts", str(ANNA), "account.created", "2026-09-21T14:13:20+00:00", "2"]
    assert row.split() == [*cells, "undecodable:", "[b]magic"]
    lines = letter_lines([chain])
    assert [(line.letter, line.state, line.behind) for line in lines] == [
        ("accounts/1/4", "dead", 0),
        ("accounts/1/5", "parked", 1),
        ("accounts/1/9", "parked", 2),
    ]


def test_what_was_given_up_is_on_no_list(chain: Chain) -> None:
    chain.dropped = frozenset({(1, 4)})
    assert [line.letter for line in letter_lines([chain])] == ["accounts/1/5", "accounts/1/9"]
    chain.dropped = frozenset(one.origin for one in chain.letters)
    assert letter_lines([chain]) == []
    assert len(printed(letters_table([chain])).strip().splitlines()) == 1


def test_a_page_shows_bytes_that_are_no_event_and_nothing_that_a_terminal_would_obey(chain: Chain) -> None:
    page = letter_page(chain.letters[0], chain, SERDE)
    assert (page.event, page.value_hex) == (None, POISON.hex())
    assert page.undecodable is not None
    assert page.undecodable.startswith("does not decode: magic byte")
    assert (page.in_front, page.parked_behind) == ([], ["accounts/1/5", "accounts/1/9"])
    assert "2: accounts/1/5 accounts/1/9" in printed(page_table(page))


def test_a_page_shows_an_event_whose_personal_fields_stay_sealed(chain: Chain) -> None:
    page = letter_page(chain.letters[1], chain, SERDE)
    assert page.event is not None
    personal = SERDE.parse(chain.letters[1].record.value).schema.personal
    assert personal
    shown = [str(page.event[field]) for field in personal if page.event[field] is not None]
    assert shown
    assert all(re.fullmatch(r"sealed \(\d+ bytes\)", text) for text in shown)
    assert page.event["account_id"] == ANNA
    assert page.headers["ce_type"] == "account.created"


def test_a_letter_is_called_by_its_place_or_its_event_and_never_by_what_is_not_one(chain: Chain) -> None:
    first, second, third = chain.letters
    assert named([chain], "accounts/1/5") == [(chain, second)]
    assert named([chain], third.event_id) == [(chain, third)]
    with pytest.raises(Conflict, match="accounts/1/4, accounts/1/5"):
        named([chain], first.event_id)
    with pytest.raises(NotFound, match="no open letter is called accounts/1/6"):
        named([chain], "accounts/1/6")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("retry",), "name one letter, or say --all or --topic"),
        (("retry", "likes/1/2", "--all"), "name one letter, or say --all or --topic"),
        (("drop",), "name one letter, or say --all or --topic"),
        (("ls", "--topic", "lieks"), "there is no topic lieks"),
    ],
)
def test_what_means_nothing_is_refused(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOLOG_HOME", str(tmp_path / "home"))
    done = CliRunner().invoke(app, ["dlq", *arguments], env={"COLUMNS": "200", "TERM": "dumb"})
    assert done.exit_code == 2
    assert words in " ".join(done.output.replace("│", " ").split())
