"""Java and Maven: found where they usually are, installed where that is allowed, else asked for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local import java as java_module
from infra.local.errors import StackError
from infra.local.java import ensure_system_packages, java_executable, require_java


def executable(path: Path, script: str = "exit 0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def make_java(folder: Path, version: str) -> Path:
    java = executable(folder / "bin/java")
    (folder / "release").write_text(f'IMPLEMENTOR="Somebody"\nJAVA_VERSION="{version}"\n')
    return java


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose PATH and Java folder are empty folders of this test."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(java_module, "JAVA_FOLDERS", tmp_path / "jvm")
    java_executable.cache_clear()
    yield
    java_executable.cache_clear()


def be_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_seventeen_is_found_beside_another_version_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_java(tmp_path / "jvm/java-21", "21.0.1")
    wanted = make_java(tmp_path / "jvm/java-17", "17.0.15")
    (tmp_path / "bin/java").symlink_to(tmp_path / "jvm/java-21/bin/java")
    assert require_java() == wanted


def test_java_home_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_java(tmp_path / "jvm/java-17", "17.0.1")
    mine = make_java(tmp_path / "mine", "17.0.2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "mine"))
    assert require_java() == mine


def test_a_java_without_a_release_file_is_asked_for_its_version(tmp_path: Path) -> None:
    java = executable(tmp_path / "bin/java", """echo 'openjdk version "17.0.3" 2022-04-19' >&2""")
    assert require_java() == java


def test_without_a_package_manager_it_says_what_to_install() -> None:
    with pytest.raises(StackError, match=r"Java 17.*Maven.*openjdk-17-jre-headless maven.*JAVA_HOME"):
        ensure_system_packages(lambda _: None, maven=True)


def test_without_rights_nothing_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(tmp_path / "bin/apt-get", f"touch {tmp_path}/called")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(StackError, match="sudo apt-get install"):
        ensure_system_packages(lambda _: None, maven=True)
    assert not (tmp_path / "called").exists()


def test_what_is_missing_is_installed_by_apt_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_java(tmp_path / "apt/java-17", "17.0.15")
    executable(tmp_path / "apt/mvn")
    install = f"/bin/cp -r {tmp_path}/apt {tmp_path}/jvm; /bin/cp {tmp_path}/apt/mvn {tmp_path}/bin"
    executable(tmp_path / "bin/apt-get", f'echo "$@" >> {tmp_path}/calls; [ "$1" = update ] || {{ {install}; }}')
    (tmp_path / "bin/env").symlink_to("/usr/bin/env")
    be_root(monkeypatch)
    said: list[str] = []
    ensure_system_packages(said.append, maven=True)
    assert require_java() == tmp_path / "jvm/java-17/bin/java"
    assert (tmp_path / "calls").read_text().splitlines()[1].endswith("openjdk-17-jre-headless maven")
    assert "openjdk-17-jre-headless and maven" in said[0]


def test_a_package_manager_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(tmp_path / "bin/apt-get", "echo E: Unable to fetch some archives >&2; exit 100")
    (tmp_path / "bin/env").symlink_to("/usr/bin/env")
    be_root(monkeypatch)
    with pytest.raises(StackError, match=r"(?s)Unable to fetch.*JAVA_HOME"):
        ensure_system_packages(lambda _: None, maven=True)
