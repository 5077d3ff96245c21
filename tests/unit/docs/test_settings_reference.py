"""docs/SETTINGS.md is what the program says, and no address of any machine is baked in."""

from pathlib import Path

import pytest

from cli.settings import all_settings, as_markdown

ROOT = Path(__file__).parents[3]
BAKED_IN = ("localhost", "127.0.0.1", "0.0.0.0")
OURS = (
    "photolog",
    "schemas",
    "projections",
    "streams",
    "gateway",
    "transcode",
    "lineage",
    "analytics",
    "backup",
    "edge",
)


def test_the_settings_page_is_what_the_program_prints() -> None:
    assert (ROOT / "docs/SETTINGS.md").read_text() == as_markdown(all_settings())


def test_every_setting_says_what_it_means() -> None:
    assert [setting.key for setting in all_settings() if not setting.meaning] == []


def test_no_address_has_a_default() -> None:
    must_be_given = {setting.key for setting in all_settings() if setting.default is None}
    assert must_be_given >= {
        "PHOTOLOG_KAFKA__BOOTSTRAP_SERVERS",
        "PHOTOLOG_REGISTRY__URL",
        "PHOTOLOG_CASSANDRA__HOSTS",
        "PHOTOLOG_REDIS__URL",
        "PHOTOLOG_S3__BUCKET",
        "PHOTOLOG_GATEWAY__PUBLIC_URL",
    }


@pytest.mark.parametrize("package", OURS)
def test_no_address_of_a_machine_is_baked_into_the_program(package: str) -> None:
    """The local stack (infra/local) knows this machine; nothing that a deployment runs does."""
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in (ROOT / package).rglob("*.py")
        for word in BAKED_IN
        if word in path.read_text()
    ]
    assert found == []
