"""A home: where things are, what a wipe removes, and data of another layout."""

from pathlib import Path

import pytest

from infra.local.errors import LayoutMismatch
from infra.local.home import Home, default_home


def test_the_home_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PHOTOLOG_HOME", str(tmp_path))
    assert default_home().root == tmp_path


def test_preparing_twice_keeps_the_data(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    (home.data / "kafka").mkdir()
    home.prepare()
    assert (home.data / "kafka").is_dir()


@pytest.mark.parametrize("mark", ["0", None])
def test_data_of_another_layout_is_refused_untouched_with_a_way_out(tmp_path: Path, mark: str | None) -> None:
    home = Home(tmp_path)
    (home.data / "kafka").mkdir(parents=True)
    if mark is not None:
        (home.data / "layout").write_text(mark)
    with pytest.raises(LayoutMismatch, match=r"layout (0|none).*down --wipe"):
        home.prepare()
    assert (home.data / "kafka").is_dir()


def test_a_wipe_leaves_what_all_homes_share(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    home.environment_file.touch()
    for shared in ("venv", "engines"):
        (tmp_path / shared).mkdir()
    home.wipe()
    assert {entry.name for entry in tmp_path.iterdir()} == {"venv", "engines"}
